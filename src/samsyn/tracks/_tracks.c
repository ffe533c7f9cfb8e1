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

/* --- smoothing: see `smooth.py`, which does the same a round of craft at a time */

typedef struct {
    int64_t us;
    double lat, lon, north, east; /* degrees; m/s */
    double pp, pv, vv;            /* variances of one axis: place, place and speed, speed */
    int64_t misses, which; /* which: of the models */
    double said_lat, said_lon; /* as the craft last said them */
} Moving;

typedef struct {
    double q, speed_m_s, speed_variance; /* as `smooth._MODELS` */
} Model;

typedef struct {
    int64_t us;
    double lat, lon, variance, north, east; /* NaN: says no velocity */
    const Model *model;
    int64_t which;
} Report;

enum { BEGUN, TAKEN, REPEATED, LATE, MISSED, RESTARTED };

#define DEGREE_M 111195.07973436874 /* of latitude, on the mean sphere */
#define NEVER INT64_MIN

static double wrapped(double degrees) { return degrees - 360 * floor((degrees + 180) / 360); }

static double east_m(double lat)
{
    double c = cos(lat * (M_PI / 180));
    return DEGREE_M * (c > 1e-3 ? c : 1e-3);
}

static void begin(Moving *s, const Report *r)
{
    int said = !isnan(r->north);
    *s = (Moving){r->us, r->lat, r->lon, said ? r->north : 0, said ? r->east : 0, r->variance, 0,
                  said ? r->model->speed_variance : r->model->speed_m_s * r->model->speed_m_s, 0, r->which,
                  r->lat, r->lon};
}

static int smoothed(Moving *s, const Report *r, double gate)
{
    if (s->us == NEVER) return begin(s, r), BEGUN;
    double dt = ((double)r->us - (double)s->us) / 1e6;
    if (dt < 0) return LATE;
    if (dt == 0 || (dt <= 2 && r->lat == s->said_lat && r->lon == s->said_lon)) return REPEATED;
    double q = r->model->q, scale = east_m(s->lat);
    double pp = s->pp + 2 * dt * s->pv + dt * dt * s->vv + q * dt * dt * dt / 3;
    double pv = s->pv + dt * s->vv + q * dt * dt / 2, vv = s->vv + q * dt;
    double lat = s->lat + s->north * dt / DEGREE_M, lon = s->lon + s->east * dt / scale;
    double north = (r->lat - lat) * DEGREE_M, east = wrapped(r->lon - lon) * scale, all = pp + r->variance;
    if ((north * north + east * east) / all > gate) {
        if (++s->misses < 3) return MISSED;
        return begin(s, r), RESTARTED;
    }
    double kp = pp / all, kv = pv / all;
    *s = (Moving){r->us, lat + kp * north / DEGREE_M, wrapped(lon + kp * east / scale), s->north + kv * north,
                  s->east + kv * east, (1 - kp) * pp, (1 - kp) * pv, vv - kv * pv, 0, r->which,
                  r->lat, r->lon};
    if (!isnan(r->north)) { /* the velocity that it says, as a second measurement */
        double sum = s->vv + r->model->speed_variance, gp = s->pv / sum, gv = s->vv / sum;
        double dn = r->north - s->north, de = r->east - s->east;
        s->lat += gp * dn / DEGREE_M;
        s->lon = wrapped(s->lon + gp * de / scale);
        s->north += gv * dn;
        s->east += gv * de;
        s->pp -= gp * s->pv;
        s->pv *= 1 - gv;
        s->vv *= 1 - gv;
    }
    return TAKEN;
}

/* smooth(state, models, rows, slots, time_us, lat, lon, variance, north, east, model, outcomes, gate): takes
   the rows into the state of their craft, in order; says of each what became of it. */
static PyObject *smooth(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[12];
    double gate;
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OOOOOOOOOOOOd", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5],
                          &given[6], &given[7], &given[8], &given[9], &given[10], &given[11], &gate))
        return NULL;
    Py_ssize_t all = PyObject_Size(given[3]), rows_count = PyObject_Size(given[2]);
    const Wanted wanted[12] = {{sizeof(Moving), 0, 1}, {8, 0, 0}, {8, rows_count, 0}, {8, all, 0}, {8, all, 0},
                               {8, all, 0}, {8, all, 0}, {8, all, 0}, {8, all, 0}, {8, all, 0}, {1, all, 0},
                               {1, rows_count, 1}};
    for (int i = 0; i < 12; i++)
        if (all < 0 || rows_count < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    const int64_t *rows = AT(&a, 2, int64_t), *slots = AT(&a, 3, int64_t), *time_us = AT(&a, 4, int64_t);
    const double *lat = AT(&a, 5, double), *lon = AT(&a, 6, double), *variance = AT(&a, 7, double);
    const double *north = AT(&a, 8, double), *east = AT(&a, 9, double);
    const uint8_t *model = AT(&a, 10, uint8_t);
    Py_ssize_t room = COUNT(&a, 0), models = COUNT(&a, 1) / 3, k = 0;
    for (; k < rows_count; k++) {
        int64_t i = rows[k];
        if (i < 0 || i >= all || slots[i] < 0 || slots[i] >= room || model[i] >= models) break;
        Report report = {time_us[i], lat[i], lon[i], variance[i], north[i], east[i], AT(&a, 1, Model) + model[i],
                         model[i]};
        AT(&a, 11, uint8_t)[k] = (uint8_t)smoothed(AT(&a, 0, Moving) + slots[i], &report, gate);
    }
    let_go(&a);
    if (k == rows_count) Py_RETURN_NONE;
    PyErr_SetString(PyExc_ValueError, "a slot that is not there");
    return NULL;
}

static PyMethodDef methods[] = {
    {"newest", newest, METH_VARARGS, "newest(time_us, slots, held_us, rows)"},
    {"put", put, METH_VARARGS, "put(rows, slots, kinds, absent, room, into, values)"},
    {"smooth", smooth, METH_VARARGS, "see _tracks.pyi"},
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
