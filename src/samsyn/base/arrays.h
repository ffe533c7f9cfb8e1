/* Arrays as a kernel gets them from Python: held while it works, each with the room that it says it has.

   Nothing here is about a format. A kernel names for every argument how large an element is, how many
   there must be at least, and whether it writes to them; what does not fit is refused before it begins. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>

#define ARRAYS_MAX 48

typedef struct {
    Py_ssize_t element; /* bytes */
    Py_ssize_t least;   /* elements */
    int written;
} Wanted;

typedef struct {
    Py_buffer view[ARRAYS_MAX];
    int held;
} Arrays;

static void let_go(Arrays *arrays)
{
    while (arrays->held) PyBuffer_Release(&arrays->view[--arrays->held]);
}

/* Holds the next array; 0 and an exception where it is not what is wanted. */
static int hold(Arrays *arrays, PyObject *object, Wanted wanted)
{
    if (arrays->held == ARRAYS_MAX || !object) {
        PyErr_SetString(PyExc_ValueError, "too many arrays");
        return 0;
    }
    Py_buffer *view = &arrays->view[arrays->held];
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (wanted.written ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, view, flags)) return 0;
    arrays->held++;
    if (view->itemsize != wanted.element || view->len / wanted.element < wanted.least) {
        PyErr_Format(PyExc_ValueError, "array %d: %zd elements of %zd bytes, wanted %zd of %zd", arrays->held,
                     view->len / view->itemsize, view->itemsize, wanted.least, wanted.element);
        return 0;
    }
    return 1;
}

/* The array held at a place, and how many elements it has. */
#define AT(arrays, place, type) ((type *)(arrays)->view[place].buf)
#define COUNT(arrays, place) ((arrays)->view[place].len / (arrays)->view[place].itemsize)
