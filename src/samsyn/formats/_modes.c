/* Mode S frames to columns: what the frequent ones say, and where the aircraft is. What a frame of another
   kind says is left to rs1090 (`modes.py`), of whose values these are held equal; positions are those of
   `cpr.py`, which is what is true. (ICAO Annex 10 volume IV; Doc 9871; tests/formats/test_modes_compiled.py) */

#include "../base/arrays.h"
#include "../base/index.h"
#include <math.h>
#include <string.h>

#define FORM 2
#define FRAME 14 /* bytes of a long frame; a short one has 7 */
#define ABSENT 255
#define NO_SQUAWK 65535
#define HIGHEST 0xFF8 /* 50,000 ft: above, rs1090 finds no altitude, and has the say */
#define SCALE 131072.0 /* 17 bits of latitude and longitude */

enum { SAID, OWN, RARE, WRONG, UNPROVEN }; /* as `modes.py` knows them */
enum { ALTITUDE, SPEED, COURSE, HEADING, CLIMB, FLOATS };
enum { GROUND, EMERGENCY, NIC, NAC_P, SIL, CODES };

/* --- what a frame says */

typedef struct {
    Py_ssize_t count;
    uint8_t *status, *kind, *code, *callsign;
    int64_t *address;
    double *number;
    uint16_t *squawk;
    int32_t *cpr; /* 0 none, 1 airborne, 2 surface; odd; latitude; longitude */
} Facts;

static uint32_t remainders[256]; /* of a byte, by the polynomial of Annex 10 */

static uint32_t bits_of(const uint8_t *bytes, int first, int count)
{
    uint64_t value = 0;
    int begin = first / 8, last = (first + count - 1) / 8;
    for (int i = begin; i <= last; i++) value = value << 8 | bytes[i];
    return (uint32_t)(value >> ((last + 1) * 8 - first - count) & ((1ULL << count) - 1));
}

/* What is left of a frame's parity: 0 where it fits; or the address that it was overlaid with. */
static uint32_t syndrome(const uint8_t *frame, int length)
{
    uint32_t rest = 0;
    for (int i = 0; i < length - 3; i++) rest = (rest << 8 & 0xFFFFFF) ^ remainders[(rest >> 16 ^ frame[i]) & 255];
    return rest ^ bits_of(frame, (length - 3) * 8, 24);
}

static void number(const Facts *f, Py_ssize_t i, int which, double value) { f->number[which * f->count + i] = value; }
static void code(const Facts *f, Py_ssize_t i, int which, int value) { f->code[which * f->count + i] = (uint8_t)value; }

/* Thirteen bits of altitude: in steps of 25 ft, or nothing; 0 where they are in another form. */
static int altitude(const Facts *f, Py_ssize_t i, uint32_t raw)
{
    if (!raw) return 1;
    if (raw & 0x40 || !(raw & 0x10)) return 0;
    number(f, i, ALTITUDE, (double)((raw & 0x1F80) >> 2 | (raw & 0x20) >> 1 | (raw & 15)) * 25 - 1000);
    return 1;
}

/* Thirteen bits of Mode A: four octal digits, read as a decimal number. */
static void identity(const Facts *f, Py_ssize_t i, uint32_t raw)
{
    static const int8_t places[4][3] = {{7, 9, 11}, {1, 3, 5}, {8, 10, 12}, {0, 2, 4}}; /* A, B, C, D: 4, 2, 1 */
    int value = 0;
    for (int digit = 0; digit < 4; digit++) {
        int octal = 0;
        for (int j = 0; j < 3; j++) octal = octal << 1 | (raw >> places[digit][j] & 1);
        value = value * 10 + octal;
    }
    f->squawk[i] = (uint16_t)value;
    code(f, i, EMERGENCY, value == 7700 ? 1 : value == 7600 ? 4 : value == 7500 ? 5 : 0);
}

static void callsign(const Facts *f, Py_ssize_t i, const uint8_t *frame)
{
    static const char letters[] = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ##### ###############0123456789######";
    uint8_t *text = f->callsign + 8 * i;
    for (int j = 0; j < 8; j++) {
        char letter = letters[bits_of(frame, 40 + 6 * j, 6)];
        if (letter != ' ') *text++ = (uint8_t)letter;
    }
}

static void position(const Facts *f, Py_ssize_t i, const uint8_t *frame, int surface)
{
    static const uint8_t nic[23] = {ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, 11, 10, 8, 0, 11, 10, 8, 7, 6, 5, 4, 2,
                                    1, 0, ABSENT, 11, 10, 0}; /* by type code, as `modes.NIC_LEAST` */
    int32_t *cpr = f->cpr + 4 * i;
    cpr[0] = 1 + surface;
    cpr[1] = (int32_t)bits_of(frame, 53, 1);
    cpr[2] = (int32_t)bits_of(frame, 54, 17);
    cpr[3] = (int32_t)bits_of(frame, 71, 17);
    code(f, i, GROUND, surface);
    code(f, i, NIC, nic[frame[4] >> 3]);
}

/* Speed on the ground (DO-260B table 2-16), and where it goes. */
static void movement(const Facts *f, Py_ssize_t i, const uint8_t *frame)
{
    static const struct { double from, step; int first; } parts[] = {
        {0, 0, 1}, {0.125, 0.125, 2}, {1, 0.25, 9}, {2, 0.5, 13}, {15, 1, 39}, {70, 2, 94}, {100, 5, 109}, {175, 0, 124}};
    int raw = (int)bits_of(frame, 37, 7), part = 7;
    if (raw >= 1 && raw <= 124) {
        while (raw < parts[part].first) part--;
        number(f, i, SPEED, parts[part].from + (raw - parts[part].first) * parts[part].step);
    }
    if (bits_of(frame, 44, 1)) number(f, i, COURSE, bits_of(frame, 45, 7) * 360.0 / 128);
}

/* Over ground, subsonic. A component of 0 says that it is not known. */
static void velocity(const Facts *f, Py_ssize_t i, const uint8_t *frame)
{
    int east = (int)bits_of(frame, 46, 10), north = (int)bits_of(frame, 57, 10), climb = (int)bits_of(frame, 69, 9);
    if (east && north) {
        double x = bits_of(frame, 45, 1) ? 1 - east : east - 1, y = bits_of(frame, 56, 1) ? 1 - north : north - 1;
        double course = atan2(x, y) * (180 / M_PI);
        number(f, i, SPEED, hypot(x, y));
        number(f, i, COURSE, course < 0 ? course + 360 : course);
    }
    if (climb) number(f, i, CLIMB, (bits_of(frame, 68, 1) ? 1 - climb : climb - 1) * 64.0);
}

/* Extended squitter; 0 where it is of a kind that is rare. */
static int squitter(const Facts *f, Py_ssize_t i, const uint8_t *frame)
{
    int type = frame[4] >> 3, part = frame[4] & 7;
    if (type == 0 || type == 23 || type == 24 || type == 30) return 1;
    if (type <= 4) return callsign(f, i, frame), 1;
    if (type <= 8) return movement(f, i, frame), position(f, i, frame, 1), 1;
    if (type == 19) return part == 1 ? (velocity(f, i, frame), 1) : 0;
    if (type <= 22) {
        uint32_t raw = bits_of(frame, 40, 12), wide = (raw & 0xFC0) << 1 | (raw & 0x3F);
        if (raw && (!(raw & 0x10) || raw > HIGHEST)) return 0;
        return altitude(f, i, wide) ? (position(f, i, frame, 0), 1) : 0;
    }
    if (type == 29) return code(f, i, NAC_P, (int)bits_of(frame, 71, 4)), 1;
    if (type != 31 || part > 1 || bits_of(frame, 40, 2) || bits_of(frame, 56, 2)) return 0;
    int version = (int)bits_of(frame, 72, 3);
    if (version == 1 || version == 2) {
        code(f, i, NAC_P, (int)bits_of(frame, 76, 4));
        code(f, i, SIL, (int)bits_of(frame, 82, 2));
    }
    return 1;
}

/* Everything that one frame says by itself, and whether its parity proves its address. */
static int facts_of(const Facts *f, Py_ssize_t i, const uint8_t *frame, int length)
{
    int kind = f->kind[i] = frame[0] >> 3;
    int extended = kind == 17 || kind == 18;
    if (length != (kind < 16 ? 7 : FRAME)) return RARE;
    uint32_t rest = syndrome(frame, length);
    if (kind == 11 || extended) {
        f->address[i] = bits_of(frame, 8, 24);
        if (kind == 11 ? rest & 0xFFFF80 : rest) return WRONG; /* the last seven bits may name who asked */
        if (kind == 11) {
            int capability = frame[0] & 7;
            if (capability == 4 || capability == 5) code(f, i, GROUND, capability == 4);
            return OWN;
        }
        if (kind == 18 && frame[0] & 7) return RARE;
        return squitter(f, i, frame) ? OWN : RARE;
    }
    f->address[i] = rest;
    if (kind == 5 || kind == 21) return identity(f, i, bits_of(frame, 19, 13)), SAID;
    if (kind != 0 && kind != 4 && kind != 16 && kind != 20) return kind == 19 ? RARE : WRONG;
    if (!altitude(f, i, bits_of(frame, 19, 13))) return RARE;
    if (kind == 16 && bits_of(frame, 5, 1)) code(f, i, GROUND, 1);
    return SAID;
}

static PyObject *facts(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[10];
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OOOOOOOOOO", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5],
                          &given[6], &given[7], &given[8], &given[9]))
        return NULL;
    Py_ssize_t n = PyObject_Size(given[1]);
    const Wanted wanted[10] = {{1, FRAME * n, 0}, {1, n, 0}, {1, n, 1}, {1, n, 1}, {8, n, 1}, {8, FLOATS * n, 1},
                               {1, CODES * n, 1}, {2, n, 1}, {1, 8 * n, 1}, {4, 4 * n, 1}};
    for (int i = 0; i < 10; i++)
        if (n < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    const uint8_t *frames = AT(&a, 0, uint8_t), *lengths = AT(&a, 1, uint8_t);
    Facts f = {.count = n, .status = AT(&a, 2, uint8_t), .kind = AT(&a, 3, uint8_t), .address = AT(&a, 4, int64_t),
               .number = AT(&a, 5, double), .code = AT(&a, 6, uint8_t), .squawk = AT(&a, 7, uint16_t),
               .callsign = AT(&a, 8, uint8_t), .cpr = AT(&a, 9, int32_t)};
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < FLOATS * n; i++) f.number[i] = NAN;
    memset(f.code, ABSENT, (size_t)(CODES * n));
    memset(f.squawk, 0xFF, (size_t)n * 2);
    memset(f.callsign, 0, (size_t)n * 8);
    memset(f.cpr, 0, (size_t)n * 16);
    for (Py_ssize_t i = 0; i < n; i++) f.status[i] = (uint8_t)facts_of(&f, i, frames + FRAME * i, lengths[i]);
    Py_END_ALLOW_THREADS
    let_go(&a);
    Py_RETURN_NONE;
}

/* --- where the aircraft is: see `cpr.py`, name by name */

typedef struct {
    int64_t us;
    int32_t lat, lon, there, unused;
} Frame;

typedef struct {
    Frame airborne[2], surface[2];
    int64_t us;
    double lat, lon;
    int32_t there, on_surface;
} Positions;

typedef struct {
    double there, lat, lon;
} Near;

static double floored(double value, double by) /* the remainder as Python has it, never negative */
{
    double rest = fmod(value, by);
    return rest < 0 ? rest + by : rest;
}

static int longitude_zones(double lat)
{
    if (fabs(lat) >= 87) return fabs(lat) == 87 ? 2 : 1;
    if (lat == 0) return 59;
    double a = 1 - cos(M_PI / 30), c = cos(lat * (M_PI / 180));
    return (int)floor(2 * M_PI / acos(1 - a / (c * c)));
}

static void latitudes(const Frame *even, const Frame *odd, double span, double lats[2])
{
    double j = floor((59.0 * even->lat - 60.0 * odd->lat) / SCALE + 0.5);
    lats[0] = span / 60 * (floored(j, 60) + even->lat / SCALE);
    lats[1] = span / 59 * (floored(j, 59) + odd->lat / SCALE);
}

static int longitude(const Frame *even, const Frame *odd, int latest, const double lats[2], double span, double place[2])
{
    int zones = longitude_zones(lats[0]);
    if (zones != longitude_zones(lats[1])) return 0;
    int count = zones - latest > 1 ? zones - latest : 1;
    double m = floor(((double)even->lon * (zones - 1) - (double)odd->lon * zones) / SCALE + 0.5);
    double lon = span / count * (floored(m, count) + (latest ? odd : even)->lon / SCALE);
    place[0] = lats[latest];
    place[1] = floored(lon + 180, 360) - 180;
    return 1;
}

static int global_airborne(const Frame *even, const Frame *odd, int latest, double place[2])
{
    double lats[2];
    latitudes(even, odd, 360, lats);
    for (int i = 0; i < 2; i++)
        if (lats[i] >= 270) lats[i] -= 360;
    return fabs(lats[0]) <= 90 && fabs(lats[1]) <= 90 && longitude(even, odd, latest, lats, 360, place);
}

static int global_surface(const Frame *even, const Frame *odd, int latest, const double *near, double place[2])
{
    if (!near) return 0;
    double lats[2];
    latitudes(even, odd, 90, lats);
    if (fabs(lats[latest] - near[0]) > fabs(lats[latest] - 90 - near[0])) lats[0] -= 90, lats[1] -= 90;
    if (!longitude(even, odd, latest, lats, 90, place)) return 0;
    double least = INFINITY, best = 0;
    for (int turns = 0; turns < 4; turns++) {
        double off = fabs(floored(place[1] + 90 * turns - near[1] + 180, 360) - 180);
        if (off < least) least = off, best = turns;
    }
    place[1] = floored(place[1] + 90 * best + 180, 360) - 180;
    return 1;
}

static double nearest(double known, double part, double step)
{
    return step * (floor(known / step) + floor(0.5 + floored(known, step) / step - part) + part);
}

static int local(const Frame *frame, int odd, int surface, const double known[2], double place[2])
{
    double span = surface ? 90 : 360, lat = nearest(known[0], frame->lat / SCALE, span / (60 - odd));
    if (fabs(lat) > 90) return 0;
    int zones = longitude_zones(lat) - odd;
    place[0] = lat;
    place[1] = floored(nearest(known[1], frame->lon / SCALE, span / (zones > 1 ? zones : 1)) + 180, 360) - 180;
    return 1;
}

static int within(int64_t a, int64_t b, int64_t most) { return fabs((double)a - (double)b) <= (double)most; }

/* Takes one frame in; 1 where its position can be known. `limits`: microseconds of an airborne and a surface
   pair, for how long a position is known, and for how long to one that has landed. */
static int take(Positions *p, const int32_t cpr[4], int64_t us, const Near *near, const int64_t *limits, double place[2])
{
    int surface = cpr[0] == 2, odd = cpr[1] != 0, found = 0;
    Frame *frames = surface ? p->surface : p->airborne, *frame = &frames[odd], *other = &frames[!odd];
    *frame = (Frame){.us = us, .lat = cpr[2], .lon = cpr[3], .there = 1};
    const double known[2] = {p->lat, p->lon}, shared[2] = {near->lat, near->lon};
    if (other->there && within(us, other->us, limits[surface])) {
        const Frame *even = odd ? other : frame, *later = odd ? frame : other;
        found = surface ? global_surface(even, later, odd, p->there ? known : near->there ? shared : NULL, place)
                        : global_airborne(even, later, odd, place);
    }
    int landed = surface && p->there && !p->on_surface;
    if (!found && p->there && within(us, p->us, limits[landed ? 3 : 2])) found = local(frame, odd, surface, known, place);
    if (found) p->us = us, p->lat = place[0], p->lon = place[1], p->there = 1, p->on_surface = surface;
    return found;
}

/* places(status, address, time_us, cpr, limits, keys, table, positions, near, lat, lon, seed, count, most):
   positions of frames in order; the status of those whose address nobody proved becomes UNPROVEN. Gives how
   many addresses are proven. `most`: how many may be, before all are forgotten. */
static PyObject *places(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[11];
    unsigned long long seed;
    Py_ssize_t count, most;
    Arrays a = {.held = 0};
    Index index;
    if (!PyArg_ParseTuple(args, "OOOOOOOOOOOKnn", &given[0], &given[1], &given[2], &given[3], &given[4], &given[5],
                          &given[6], &given[7], &given[8], &given[9], &given[10], &seed, &count, &most))
        return NULL;
    Py_ssize_t n = PyObject_Size(given[0]);
    const Wanted wanted[11] = {{1, n, 1}, {8, n, 0}, {8, n, 0}, {4, 4 * n, 0}, {8, 4, 0}, {8, count, 1}, {4, 2, 1},
                               {1, 0, 1}, {8, sizeof(Near) / 8, 1}, {8, n, 1}, {8, n, 1}};
    for (int i = 0; i < 11; i++)
        if (n < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    if (!index_held(&index, &a, 5, seed, count)) return let_go(&a), NULL;
    Py_ssize_t room = index_room(&index, COUNT(&a, 5));
    Py_ssize_t kept = COUNT(&a, 7) / (Py_ssize_t)sizeof(Positions);
    if (room > kept) room = kept;
    if (most > room) most = room;
    uint8_t *status = AT(&a, 0, uint8_t);
    const int64_t *address = AT(&a, 1, int64_t), *time_us = AT(&a, 2, int64_t), *limits = AT(&a, 4, int64_t);
    const int32_t *cpr = AT(&a, 3, int32_t);
    Positions *positions = AT(&a, 7, Positions);
    Near *near = AT(&a, 8, Near);
    double *lat = AT(&a, 9, double), *lon = AT(&a, 10, double);
    for (Py_ssize_t i = 0; i < n; i++) {
        double place[2];
        lat[i] = lon[i] = NAN;
        if (status[i] != SAID && status[i] != OWN) continue;
        uint64_t at = look(&index, address[i]);
        if (index.table[at] < 0 && status[i] == OWN && most > 0) {
            if (count >= most) {
                memset(index.table, 0xFF, (size_t)(index.mask + 1) * 4);
                count = 0;
                at = look(&index, address[i]);
            }
            index.keys[count] = address[i];
            index.table[at] = (int32_t)count;
            positions[count++] = (Positions){.there = 0};
        }
        if (index.table[at] < 0) status[i] = UNPROVEN;
        else if (cpr[4 * i] && take(&positions[index.table[at]], cpr + 4 * i, time_us[i], near, limits, place)) {
            *near = (Near){1, place[0], place[1]};
            lat[i] = place[0], lon[i] = place[1];
        }
    }
    let_go(&a);
    return PyLong_FromSsize_t(count);
}

/* --- lines: `avr.py` has the spellings; what is not plainly one of the commonest is left to it */

enum { BLANK, RECORDED, PLAIN, OTHER, COUNTED };
#define COUNTER 12 /* digits of a receiver's counter; behind it there may be two of signal */

static uint8_t nibble[256]; /* of a hexadecimal digit; 255: none */

static int is_blank(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The bytes of `digits` hexadecimal digits; 0 where one is none. */
static int unhex(const uint8_t *from, Py_ssize_t digits, uint8_t *frame)
{
    uint8_t worst = 0;
    for (Py_ssize_t i = 0; i < digits; i += 2) {
        uint8_t high = nibble[from[i]], low = nibble[from[i + 1]];
        worst |= high | low;
        frame[i / 2] = (uint8_t)(high << 4 | (low & 15));
    }
    return worst < 16;
}

/* A frame, taken out of Beast's envelope; how many bytes it has, or 0. */
static int frame_of(const uint8_t *from, const uint8_t *end, uint8_t *frame)
{
    Py_ssize_t digits = end - from;
    if ((digits == 32 || digits == 46) && from[0] == '1' && (from[1] | 32) == 'a' && from[2] == '3' &&
        from[3] == (digits == 32 ? '2' : '3'))
        from += 18, digits -= 18;
    return (digits == 14 || digits == 28) && unhex(from, digits, frame) ? (int)(digits / 2) : 0;
}

/* Seconds since 1970 with up to six decimals, in microseconds; 0 for anything else. */
static int64_t seconds_of(const uint8_t *from, const uint8_t *end, int64_t most_us)
{
    int64_t value = 0;
    const uint8_t *at = from;
    for (; at < end && *at >= '0' && *at <= '9' && at - from < 10; at++) value = value * 10 + (*at - '0');
    if (at == from || (at < end && *at != '.')) return 0;
    int decimals = 0;
    for (at += at < end; at < end && decimals < 6; at++, decimals++) {
        if (*at < '0' || *at > '9') return 0;
        value = value * 10 + (*at - '0');
    }
    for (; decimals < 6; decimals++) value *= 10;
    return at == end && value > 0 && value < most_us ? value : 0;
}

/* A frame behind its receiver's counter. */
static int counted_of(const uint8_t *from, const uint8_t *end, int64_t *ticks, uint8_t *frame, uint8_t *length)
{
    Py_ssize_t head = *from++ == '<' ? COUNTER + 2 : COUNTER;
    uint8_t bytes[COUNTER / 2];
    while (end > from && end[-1] == ';') end--;
    Py_ssize_t digits = end - from - head;
    if ((digits != 14 && digits != 28) || !unhex(from, COUNTER, bytes)) return OTHER;
    *ticks = 0;
    for (int i = 0; i < COUNTER / 2; i++) *ticks = *ticks << 8 | bytes[i];
    return (*length = (uint8_t)frame_of(from + head, end, frame)) ? COUNTED : OTHER;
}

static int line_of(const uint8_t *from, const uint8_t *end, int64_t most_us, int64_t *time_us, uint8_t *frame, uint8_t *length)
{
    while (end > from && is_blank(end[-1])) end--;
    while (from < end && is_blank(*from)) from++;
    if (from == end || *from == '#') return BLANK;
    if (*from == '*' || *from == ':') {
        from++;
        while (end > from && end[-1] == ';') end--;
        return end - from <= 28 && (*length = (uint8_t)frame_of(from, end, frame)) ? PLAIN : OTHER;
    }
    if (*from == '@' || *from == '%' || *from == '<') return counted_of(from, end, time_us, frame, length);
    const uint8_t *comma = memchr(from, ',', (size_t)(end - from));
    if (!comma || !(*time_us = seconds_of(from, comma, most_us))) return OTHER;
    return (*length = (uint8_t)frame_of(comma + 1, end, frame)) ? RECORDED : OTHER;
}

/* lines(data, most_us, kinds, ends, time_us, frames, lengths): each line that ends with a newline; how many. */
static PyObject *lines(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[6];
    long long most_us;
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OLOOOOO", &given[0], &most_us, &given[1], &given[2], &given[3], &given[4], &given[5]))
        return NULL;
    Py_ssize_t room = PyObject_Size(given[1]), count = 0;
    const Wanted wanted[6] = {{1, 0, 0}, {1, room, 1}, {8, room, 1}, {8, room, 1}, {1, FRAME * room, 1}, {1, room, 1}};
    for (int i = 0; i < 6; i++)
        if (room < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    const uint8_t *data = AT(&a, 0, uint8_t), *end = data + COUNT(&a, 0), *from = data, *newline;
    Py_BEGIN_ALLOW_THREADS
    while (count < room && from < end && (newline = memchr(from, '\n', (size_t)(end - from)))) {
        AT(&a, 2, int64_t)[count] = newline - data;
        AT(&a, 1, uint8_t)[count] = (uint8_t)line_of(from, newline, most_us, &AT(&a, 3, int64_t)[count],
                                                     AT(&a, 4, uint8_t) + FRAME * count, &AT(&a, 5, uint8_t)[count]);
        count++;
        from = newline + 1;
    }
    Py_END_ALLOW_THREADS
    let_go(&a);
    return PyLong_FromSsize_t(count);
}

/* --- Beast's stream: frames one behind another, until something else comes; `beast.py` has the format */

enum { ESCAPE = 0x1A, HEAD = 7 }; /* counter and signal */

/* One frame from `from`: its type (1 to 4) and the bytes behind it; where it ends, or NULL for anything else. */
static const uint8_t *beast_frame(const uint8_t *from, const uint8_t *end, uint8_t *type, uint8_t *body)
{
    static const uint8_t frames[5] = {0, 2, 7, FRAME, FRAME};
    if (end - from < 2 || from[0] != ESCAPE || from[1] < '1' || from[1] > '4') return NULL;
    *type = (uint8_t)(from[1] - '0');
    from += 2;
    for (int i = 0; i < HEAD + frames[*type]; i++) {
        if (from == end || (*from == ESCAPE && (from + 1 == end || from[1] != ESCAPE))) return NULL;
        body[i] = *from;
        from += *from == ESCAPE ? 2 : 1;
    }
    return from;
}

/* beast(data, begin, types, begins, ticks, frames, lengths): frames that follow each other from `begin` on, as
   many as there is room for; how many, and where the last one ends. */
static PyObject *beast(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[6];
    Py_ssize_t begin, count = 0;
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OnOOOOO", &given[0], &begin, &given[1], &given[2], &given[3], &given[4], &given[5]))
        return NULL;
    Py_ssize_t room = PyObject_Size(given[1]);
    const Wanted wanted[6] = {{1, 0, 0}, {1, room, 1}, {8, room, 1}, {8, room, 1}, {1, FRAME * room, 1}, {1, room, 1}};
    for (int i = 0; i < 6; i++)
        if (room < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    const uint8_t *data = AT(&a, 0, uint8_t), *end = data + COUNT(&a, 0), *next;
    if (begin < 0 || begin > COUNT(&a, 0))
        return let_go(&a), PyErr_SetString(PyExc_ValueError, "begin lies outside"), NULL;
    const uint8_t *from = data + begin;
    uint8_t type, body[HEAD + FRAME];
    Py_BEGIN_ALLOW_THREADS
    while (count < room && (next = beast_frame(from, end, &type, body))) {
        uint8_t length = type == 3 ? FRAME : type == 2 ? 7 : 0;
        int64_t ticks = 0;
        for (int i = 0; i < HEAD - 1; i++) ticks = ticks << 8 | body[i];
        AT(&a, 1, uint8_t)[count] = type;
        AT(&a, 2, int64_t)[count] = from - data;
        AT(&a, 3, int64_t)[count] = ticks;
        memset(AT(&a, 4, uint8_t) + FRAME * count, 0, FRAME);
        memcpy(AT(&a, 4, uint8_t) + FRAME * count, body + HEAD, length);
        AT(&a, 5, uint8_t)[count++] = length;
        from = next;
    }
    Py_END_ALLOW_THREADS
    let_go(&a);
    return Py_BuildValue("nn", count, (Py_ssize_t)(from - data));
}

static PyMethodDef methods[] = {
    {"facts", facts, METH_VARARGS, "What frames say: see _modes.pyi."},
    {"places", places, METH_VARARGS, "Where aircraft are: see _modes.pyi."},
    {"rebuild", rebuild, METH_VARARGS, "rebuild(keys, table, seed, count)"},
    {"lines", lines, METH_VARARGS, "Lines to frames: see _modes.pyi."},
    {"beast", beast, METH_VARARGS, "Beast's stream to frames: see _modes.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_modes", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__modes(void)
{
    memset(nibble, 255, sizeof nibble);
    for (int i = 0; i < 10; i++) nibble['0' + i] = (uint8_t)i;
    for (int i = 10; i < 16; i++) nibble['A' - 10 + i] = nibble['a' - 10 + i] = (uint8_t)i;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t rest = i << 16;
        for (int j = 0; j < 8; j++) rest = rest & 0x800000 ? (rest << 1 ^ 0xFFF409) & 0xFFFFFF : rest << 1;
        remainders[i] = rest;
    }
    PyObject *module = PyModule_Create(&definition);
    if (module && (PyModule_AddIntConstant(module, "FORM", FORM) ||
                   PyModule_AddIntConstant(module, "POSITIONS_BYTES", sizeof(Positions))))
        Py_CLEAR(module);
    return module;
}
