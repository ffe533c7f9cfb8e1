/* Rows of observations: craft to slots, batches to plain arrays, marks. What each of them means is said in
   `index.py`, `plain.py` and `plausible.py`, which do the same in numpy where this is not built; tests hold
   them equal. */

#include "../base/arrays.h"
#include "../base/index.h"
#include <math.h>
#include <string.h>

#define FORM 2
#define NEVER INT64_MIN

/* --- craft to slots */

static PyObject *find(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[4];
    unsigned long long seed;
    Py_ssize_t count;
    Arrays a = {.held = 0};
    Index index;
    if (!PyArg_ParseTuple(args, "OOOOKn", &given[0], &given[1], &given[2], &given[3], &seed, &count)) return NULL;
    if (!hold(&a, given[0], (Wanted){8, count, 0}) || !hold(&a, given[1], (Wanted){4, 2, 0}) ||
        !hold(&a, given[2], (Wanted){8, 0, 0}) || !hold(&a, given[3], (Wanted){8, COUNT(&a, 2), 1}) ||
        !index_held(&index, &a, 0, seed, count))
        return let_go(&a), NULL;
    const int64_t *wanted = AT(&a, 2, int64_t);
    int64_t *slots = AT(&a, 3, int64_t);
    for (Py_ssize_t i = 0; i < COUNT(&a, 2); i++) slots[i] = index.table[look(&index, wanted[i])];
    let_go(&a);
    Py_RETURN_NONE;
}

/* The same, with new keys put in as long as there are fewer than `limit`; gives how many there are then. */
static PyObject *add(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[4];
    unsigned long long seed;
    Py_ssize_t count, limit;
    Arrays a = {.held = 0};
    Index index;
    if (!PyArg_ParseTuple(args, "OOOOKnn", &given[0], &given[1], &given[2], &given[3], &seed, &count, &limit))
        return NULL;
    if (!hold(&a, given[0], (Wanted){8, count, 1}) || !hold(&a, given[1], (Wanted){4, 2, 1}) ||
        !hold(&a, given[2], (Wanted){8, 0, 0}) || !hold(&a, given[3], (Wanted){8, COUNT(&a, 2), 1}) ||
        !index_held(&index, &a, 0, seed, count))
        return let_go(&a), NULL;
    const int64_t *wanted = AT(&a, 2, int64_t);
    int64_t *slots = AT(&a, 3, int64_t), *keys = AT(&a, 0, int64_t);
    Py_ssize_t room = index_room(&index, COUNT(&a, 0));
    if (limit > room) limit = room;
    for (Py_ssize_t i = 0; i < COUNT(&a, 2); i++) {
        uint64_t at = look(&index, wanted[i]);
        if (index.table[at] < 0 && count < limit) {
            keys[count] = wanted[i];
            index.table[at] = (int32_t)count++;
        }
        slots[i] = index.table[at];
    }
    let_go(&a);
    return PyLong_FromSsize_t(count);
}

/* --- a batch to plain arrays, over Arrow's C stream interface */

typedef struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
} ArrowSchema;

typedef struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
} ArrowArray;

typedef struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
} ArrowArrayStream;

static int bit(const uint8_t *bits, int64_t at) { return bits[at >> 3] >> (at & 7) & 1; }

#define COPY(type, absent)                                                                        \
    do {                                                                                          \
        const type *from = (const type *)column->buffers[1] + column->offset;                    \
        type *to = (type *)into + row;                                                            \
        if (!valid) memcpy(to, from, (size_t)count * sizeof(type));                               \
        else                                                                                      \
            for (int64_t i = 0; i < count; i++) to[i] = bit(valid, column->offset + i) ? from[i] : (type)(absent); \
    } while (0)

/* One column of one chunk, from `row` on; what is null becomes `absent`. 0 for a type that is not known. */
static int copy_column(const ArrowArray *column, const char *format, Py_ssize_t element, void *into, Py_ssize_t row,
                       int absent)
{
    int64_t count = column->length;
    const uint8_t *valid = column->null_count ? column->buffers[0] : NULL;
    if (!strcmp(format, "g") && element == 8) COPY(double, NAN);
    else if (!strcmp(format, "f") && element == 4) COPY(float, NAN);
    else if (!strcmp(format, "l") && element == 8) COPY(int64_t, absent);
    else if (!strcmp(format, "S") && element == 2) COPY(uint16_t, absent);
    else if (!strcmp(format, "C") && element == 1) COPY(uint8_t, absent);
    else if (!strcmp(format, "b") && element == 1) {
        const uint8_t *bits = column->buffers[1];
        int8_t *to = (int8_t *)into + row;
        for (int64_t i = 0, at = column->offset; i < count; i++, at++)
            to[i] = (int8_t)(valid && !bit(valid, at) ? absent : bit(bits, at));
    } else return 0;
    return 1;
}

static int copy_chunk(const ArrowArray *chunk, const ArrowSchema *schema, const Arrays *a, const int64_t *which,
                      const int64_t *absent, Py_ssize_t row)
{
    for (int i = 2; i < a->held; i++) {
        int64_t at = which[i - 2];
        if (at < 0 || at >= chunk->n_children || at >= schema->n_children) return 0;
        const ArrowArray *column = chunk->children[at];
        if (chunk->offset || column->length != chunk->length || row + chunk->length > COUNT(a, i)) return 0;
        if (!copy_column(column, schema->children[at]->format, a->view[i].itemsize, a->view[i].buf, row,
                         (int)absent[i - 2]))
            return 0;
    }
    return 1;
}

/* plain(stream, places of columns, values for nulls, arrays): fills the arrays. */
static PyObject *plain(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *capsule, *which, *absent, *into;
    if (!PyArg_ParseTuple(args, "OOOO!", &capsule, &which, &absent, &PyTuple_Type, &into)) return NULL;
    ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (!stream) return NULL;
    Arrays a = {.held = 0};
    Py_ssize_t columns = PyTuple_Size(into);
    int good = hold(&a, which, (Wanted){8, columns, 0}) && hold(&a, absent, (Wanted){8, columns, 0});
    for (Py_ssize_t i = 0; good && i < columns; i++) {
        Py_buffer told;
        PyObject *array = PyTuple_GetItem(into, i);
        if (!array || PyObject_GetBuffer(array, &told, PyBUF_STRIDES | PyBUF_FORMAT)) return let_go(&a), NULL;
        Py_ssize_t element = told.itemsize;
        PyBuffer_Release(&told);
        good = hold(&a, array, (Wanted){element, 0, 1});
    }
    if (!good) return let_go(&a), NULL;
    ArrowSchema schema = {.release = NULL};
    ArrowArray chunk = {.release = NULL};
    Py_ssize_t row = 0;
    good = !stream->get_schema(stream, &schema);
    while (good && !stream->get_next(stream, &chunk) && chunk.release) {
        good = copy_chunk(&chunk, &schema, &a, AT(&a, 0, int64_t), AT(&a, 1, int64_t), row);
        row += chunk.length;
        chunk.release(&chunk);
        chunk.release = NULL;
    }
    if (schema.release) schema.release(&schema);
    let_go(&a);
    if (good) return PyLong_FromSsize_t(row);
    PyErr_SetString(PyExc_ValueError, "columns of a batch that cannot be copied");
    return NULL;
}

/* --- marks */

typedef struct {
    int64_t us;
    double lat, lon;
} Place;

typedef struct {
    int64_t latest_us;
    Place good, other;
} Held; /* of a craft, as `plausible._STATE` */

typedef struct {
    double sea_kn, air_kn, sea_jump_m, air_jump_m, slack_us, back_us, altitude_min, altitude_max, knot_m_s, earth_m;
} Rules; /* as `plausible._RULES` */

enum { BAD_POSITION = 1, IMPOSSIBLE_SPEED = 2, JUMP = 4, BAD_IDENTITY = 8, BAD_TIME = 16, IMPOSSIBLE_ALTITUDE = 32 };

static int too_far(const Rules *rules, Place here, Place there, double speed_m_s, double slack_m)
{
    if (there.us == NEVER) return 0;
    double between_us = fabs((double)here.us - (double)there.us);
    double reach_m = slack_m + speed_m_s * (between_us + rules->slack_us) / 1e6;
    const double radians = M_PI / 180;
    double north = fabs(here.lat - there.lat) * radians, east = fabs(here.lon - there.lon) * radians;
    if (rules->earth_m * (north + east) * 1.000001 < reach_m) return 0; /* no way is longer than both legs */
    double a = sin((here.lat * radians - there.lat * radians) / 2);
    double o = sin((here.lon * radians - there.lon * radians) / 2);
    double h = a * a + cos(there.lat * radians) * cos(here.lat * radians) * o * o;
    return 2 * rules->earth_m * asin(sqrt(h < 1 ? h : 1)) > reach_m;
}

/* An MMSI that no one can have: see `plausible._nobody`. */
static int nobody_at_sea(int64_t number)
{
    int64_t prefix = number / 1000000, country;
    if (number < 10000000) country = number / 10000;
    else if (number < 100000000) country = number / 100000;
    else if (prefix == 111) country = number / 1000;
    else if (prefix / 100 == 8) country = number / 100000;
    else if (prefix / 10 >= 98) country = number / 10000;
    else if (prefix == 970 || prefix == 972 || prefix == 974) country = 201;
    else country = prefix;
    country %= 1000;
    return number > 999999999 || country < 201 || country > 775 || number == 0 || number == 1193046 ||
           number == 111111111 || number == 123456789 || number == 987654321 || number == 999999999;
}

static int jumped(const Rules *rules, Held *held, Place here, double speed_m_s, double slack_m)
{
    int fits = !too_far(rules, here, held->good, speed_m_s, slack_m);
    if (!fits && held->other.us != NEVER) fits = !too_far(rules, here, held->other, speed_m_s, slack_m);
    if (fits) held->good = here, held->other = (Place){NEVER, 0, 0};
    else held->other = here;
    return !fits;
}

static int mark_one(const Rules *rules, Held *held, int64_t craft, Place here, double speed_kn, double altitude_ft)
{
    int64_t domain = craft >> 32, number = craft & 0xFFFFFFFF;
    int air = !(domain & 1);
    int nobody = domain == 2 ? number == 0 || number >= 0xFFFFFF : domain == 1 && nobody_at_sea(number);
    int flies = air || (domain == 1 && number / 1000000 == 111); /* search and rescue aircraft report among ships */
    double most_kn = flies ? rules->air_kn : rules->sea_kn;
    int placed = !(isnan(here.lat) && isnan(here.lon));
    int good = fabs(here.lat) <= 90 && fabs(here.lon) <= 180 && !(here.lat == 0 && here.lon == 0);
    if (here.us > held->latest_us) held->latest_us = here.us;
    int late = (double)held->latest_us - (double)here.us > rules->back_us;
    int marks = (placed && !good ? BAD_POSITION : 0) | (speed_kn > most_kn ? IMPOSSIBLE_SPEED : 0) |
                (nobody ? BAD_IDENTITY : 0) | (late ? BAD_TIME : 0);
    if (altitude_ft < rules->altitude_min || altitude_ft > rules->altitude_max) marks |= IMPOSSIBLE_ALTITUDE;
    double slack_m = air ? rules->air_jump_m : rules->sea_jump_m;
    if (good && !late && jumped(rules, held, here, most_kn * rules->knot_m_s, slack_m)) marks |= JUMP;
    return marks;
}

/* mark(state, rules, slots, craft, time_us, lat, lon, speed_kn, altitude_ft, marks) */
static PyObject *mark(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[10];
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OOOOOOOOOO", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5],
                          &given[6], &given[7], &given[8], &given[9]))
        return NULL;
    Py_ssize_t count = PyObject_Size(given[2]);
    const Wanted wanted[10] = {{sizeof(Held), 0, 1}, {8, sizeof(Rules) / 8, 0}, {8, count, 0}, {8, count, 0},
                               {8, count, 0}, {8, count, 0}, {8, count, 0}, {4, count, 0}, {4, count, 0}, {2, count, 1}};
    for (int i = 0; i < 10; i++)
        if (count < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    Held *state = AT(&a, 0, Held);
    const Rules *rules = AT(&a, 1, Rules);
    const int64_t *slots = AT(&a, 2, int64_t), *craft = AT(&a, 3, int64_t), *time_us = AT(&a, 4, int64_t);
    const double *lat = AT(&a, 5, double), *lon = AT(&a, 6, double);
    const float *speed_kn = AT(&a, 7, float), *altitude_ft = AT(&a, 8, float);
    uint16_t *marks = AT(&a, 9, uint16_t);
    Py_ssize_t known = COUNT(&a, 0);
    int inside = 1;
    for (Py_ssize_t i = 0; i < count && inside; i++) {
        inside = slots[i] >= 0 && slots[i] < known;
        if (inside)
            marks[i] = (uint16_t)mark_one(rules, &state[slots[i]], craft[i], (Place){time_us[i], lat[i], lon[i]},
                                          speed_kn[i], altitude_ft[i]);
    }
    let_go(&a);
    if (inside) Py_RETURN_NONE;
    PyErr_SetString(PyExc_ValueError, "a slot that is not there");
    return NULL;
}

static PyMethodDef methods[] = {
    {"find", find, METH_VARARGS, "find(keys, table, wanted, slots, seed, count)"},
    {"add", add, METH_VARARGS, "add(keys, table, wanted, slots, seed, count, limit)"},
    {"rebuild", rebuild, METH_VARARGS, "rebuild(keys, table, seed, count)"},
    {"plain", plain, METH_VARARGS, "plain(stream, places, absent, arrays)"},
    {"mark", mark, METH_VARARGS, "mark(state, rules, slots, craft, time_us, lat, lon, speed, altitude, marks)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_rows", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__rows(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddIntConstant(module, "FORM", FORM)) Py_CLEAR(module);
    return module;
}
