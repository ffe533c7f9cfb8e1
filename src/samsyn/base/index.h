/* Keys to slots: `table` holds slots at places that their keys are hashed to, -1 where there is none.
   Needs arrays.h before it. */

#include <string.h>

typedef struct {
    int64_t *keys; /* by slot */
    int32_t *table;
    uint64_t mask, seed; /* the seed is secret: who chooses keys must not know where they fall together */
} Index;

static uint64_t place_of(const Index *index, int64_t key)
{
    uint64_t mixed = ((uint64_t)key ^ index->seed) * 0x9E3779B97F4A7C15ULL;
    mixed = (mixed ^ mixed >> 29) * (index->seed | 1);
    return (mixed ^ mixed >> 32) & index->mask;
}

/* Where a key is, or the free place where it would be; the table always has one. */
static uint64_t look(const Index *index, int64_t key)
{
    uint64_t at = place_of(index, key);
    while (index->table[at] >= 0 && index->keys[index->table[at]] != key) at = (at + 1) & index->mask;
    return at;
}

/* The index whose keys and table are held at `place` and the one after it; 0 and an exception if it cannot be. */
static int index_held(Index *index, const Arrays *a, int place, unsigned long long seed, Py_ssize_t count)
{
    Py_ssize_t places = COUNT(a, place + 1);
    *index = (Index){AT(a, place, int64_t), AT(a, place + 1, int32_t), (uint64_t)places - 1, seed};
    int power = places >= 2 && !(places & (places - 1));
    if (power && count >= 0 && count < places && count <= COUNT(a, place)) return 1;
    PyErr_SetString(PyExc_ValueError, "an index that cannot be");
    return 0;
}

/* How many keys there is room for: half of the table stays free, so that lookups are short. */
static Py_ssize_t index_room(const Index *index, Py_ssize_t keys)
{
    Py_ssize_t half = (Py_ssize_t)(index->mask + 1) / 2;
    return keys < half ? keys : half;
}

/* Puts the keys of all slots into the table, whatever was in it: rebuild(keys, table, seed, count). */
static PyObject *rebuild(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[2];
    unsigned long long seed;
    Py_ssize_t count;
    Arrays a = {.held = 0};
    Index index;
    if (!PyArg_ParseTuple(args, "OOKn", &given[0], &given[1], &seed, &count)) return NULL;
    if (!hold(&a, given[0], (Wanted){8, count, 0}) || !hold(&a, given[1], (Wanted){4, 2, 1}) ||
        !index_held(&index, &a, 0, seed, count))
        return let_go(&a), NULL;
    memset(index.table, 0xFF, (size_t)COUNT(&a, 1) * 4);
    for (Py_ssize_t i = 0; i < count; i++) index.table[look(&index, index.keys[i])] = (int32_t)i;
    let_go(&a);
    Py_RETURN_NONE;
}
