/* Rows into the arrays of the track table; `table.py` says what happens and does it in numpy where this is
   not built. */

#include "../base/arrays.h"
#include <math.h>

#define FORM 1

enum { FLOAT, DOUBLE, BYTE, FLAG, WORD, CODE }; /* float32, float64, uint8, int8, uint16, int16 */

static const Py_ssize_t ELEMENT[] = {4, 8, 1, 1, 2, 2};

/* newest(time_us, slots, held_us, rows): which rows are no older than what is held of their craft, into
   `rows`. Gives how many; and whether any of them is older than one of its craft before it. */
static PyObject *newest(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[4];
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OOOO", &given[0], &given[1], &given[2], &given[3])) return NULL;
    Py_ssize_t count = PyObject_Size(given[0]), kept = 0;
    const Wanted wanted[4] = {{8, count, 0}, {8, count, 0}, {8, 0, 1}, {8, count, 1}};
    for (int i = 0; i < 4; i++)
        if (count < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    const int64_t *time_us = AT(&a, 0, int64_t), *slots = AT(&a, 1, int64_t);
    int64_t *held_us = AT(&a, 2, int64_t), *rows = AT(&a, 3, int64_t);
    int crossed = 0, outside = 0;
    for (Py_ssize_t i = 0; i < count && !outside; i++) {
        outside = slots[i] < 0 || slots[i] >= COUNT(&a, 2);
        if (!outside && time_us[i] >= held_us[slots[i]]) rows[kept++] = i;
    }
    for (Py_ssize_t k = 0; k < kept && !outside; k++) {
        int64_t i = rows[k], *held = &held_us[slots[i]];
        if (time_us[i] < *held) crossed = 1;
        else *held = time_us[i];
    }
    let_go(&a);
    if (!outside) return Py_BuildValue("nO", kept, crossed ? Py_True : Py_False);
    PyErr_SetString(PyExc_ValueError, "a slot that is not there");
    return NULL;
}

#define PUT(type, there)                                    \
    do {                                                    \
        const type *from = values;                          \
        type *to = into;                                    \
        for (Py_ssize_t k = 0; k < count; k++) {            \
            type value = from[rows[k]];                     \
            if (there) to[slots[rows[k]]] = value;          \
        }                                                   \
    } while (0)

static void put_column(int kind, void *into, const void *values, const int64_t *rows, const int64_t *slots,
                       Py_ssize_t count, int64_t absent)
{
    if (kind == FLOAT) PUT(float, value == value);
    else if (kind == DOUBLE) PUT(double, value == value);
    else if (kind == BYTE) PUT(uint8_t, value != absent);
    else if (kind == FLAG) PUT(int8_t, value != absent);
    else if (kind == WORD) PUT(uint16_t, value != absent);
    else PUT(int16_t, value != absent);
}

/* Whether every row is one of the batch, and its slot one of the table. */
static int inside(const Arrays *a, Py_ssize_t all, Py_ssize_t room)
{
    const int64_t *rows = AT(a, 0, int64_t), *slots = AT(a, 1, int64_t);
    for (Py_ssize_t k = 0; k < COUNT(a, 0); k++)
        if (rows[k] < 0 || rows[k] >= all || slots[rows[k]] < 0 || slots[rows[k]] >= room) return 0;
    return 1;
}

static int put_held(Arrays *a, PyObject *into, PyObject *values, Py_ssize_t place, Py_ssize_t all, Py_ssize_t room)
{
    int64_t kind = AT(a, 2, int64_t)[place];
    int held = a->held;
    if (kind < FLOAT || kind > CODE) return 0;
    if (!hold(a, PyTuple_GetItem(into, place), (Wanted){ELEMENT[kind], room, 1}) ||
        !hold(a, PyTuple_GetItem(values, place), (Wanted){ELEMENT[kind], all, 0}))
        return 0;
    put_column((int)kind, AT(a, held, void), AT(a, held + 1, void), AT(a, 0, int64_t), AT(a, 1, int64_t),
               COUNT(a, 0), AT(a, 3, int64_t)[place]);
    while (a->held > held) PyBuffer_Release(&a->view[--a->held]);
    return 1;
}

/* put(rows, slots, kinds, absent, room, into, values): of each column the values that are there, in the
   order of `rows`; `into` and `values` are tuples of as many arrays, `room` is how many slots there are. */
static PyObject *put(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[4], *into, *values;
    Py_ssize_t room;
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OOOOnO!O!", &given[0], &given[1], &given[2], &given[3], &room, &PyTuple_Type, &into,
                          &PyTuple_Type, &values))
        return NULL;
    Py_ssize_t columns = PyTuple_Size(into), all = PyObject_Size(given[1]);
    const Wanted wanted[4] = {{8, 0, 0}, {8, all, 0}, {8, columns, 0}, {8, columns, 0}};
    int good = all >= 0 && columns == PyTuple_Size(values);
    for (int i = 0; i < 4 && good; i++) good = hold(&a, given[i], wanted[i]);
    good = good && inside(&a, all, room);
    for (Py_ssize_t i = 0; i < columns && good; i++) good = put_held(&a, into, values, i, all, room);
    let_go(&a);
    if (good) Py_RETURN_NONE;
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    return NULL;
}

/* place(rows, slots, time_us, lat, lon, doubted, position_us, lat of tracks, lon of tracks): a doubted
   position only where there was none. */
static PyObject *place(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[9];
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OOOOOOOOO", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5],
                          &given[6], &given[7], &given[8]))
        return NULL;
    Py_ssize_t all = PyObject_Size(given[1]), room = PyObject_Size(given[6]);
    const Wanted wanted[9] = {{8, 0, 0}, {8, all, 0}, {8, all, 0}, {8, all, 0}, {8, all, 0}, {1, all, 0},
                              {8, room, 1}, {8, room, 1}, {8, room, 1}};
    for (int i = 0; i < 9; i++)
        if (all < 0 || room < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    if (!inside(&a, all, room)) {
        let_go(&a);
        PyErr_SetString(PyExc_ValueError, "a slot that is not there");
        return NULL;
    }
    const int64_t *rows = AT(&a, 0, int64_t), *slots = AT(&a, 1, int64_t), *time_us = AT(&a, 2, int64_t);
    const double *lat = AT(&a, 3, double), *lon = AT(&a, 4, double);
    const uint8_t *doubted = AT(&a, 5, uint8_t);
    int64_t *position_us = AT(&a, 6, int64_t);
    double *held_lat = AT(&a, 7, double), *held_lon = AT(&a, 8, double);
    for (Py_ssize_t k = 0; k < COUNT(&a, 0); k++) {
        int64_t i = rows[k], slot = slots[i];
        if (isnan(lat[i]) || (doubted[i] && !isnan(held_lat[slot]))) continue;
        held_lat[slot] = lat[i];
        held_lon[slot] = lon[i];
        position_us[slot] = time_us[i];
    }
    let_go(&a);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"newest", newest, METH_VARARGS, "newest(time_us, slots, held_us, rows)"},
    {"put", put, METH_VARARGS, "put(rows, slots, kinds, absent, room, into, values)"},
    {"place", place, METH_VARARGS, "place(rows, slots, time_us, lat, lon, doubted, position_us, lats, lons)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_tracks", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__tracks(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddIntConstant(module, "FORM", FORM)) Py_CLEAR(module);
    return module;
}
