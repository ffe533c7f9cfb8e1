/* ASTERIX blocks to columns, a run of blocks at a time. What lies where comes from `asterix_items.py`, as a
   plan; what it means is what `asterix_columns.py` says. A block in which anything is out of the ordinary is left
   whole to those two, in its turn: nothing of it is kept here.

   These bytes come from outside. An item is looked at only when it lies within its block as a whole, and
   every row and refusal is counted against the room there is.
   Held equal to the other reader by tests/formats/test_asterix_compiled.py. */

#include "../base/arrays.h"
#include <math.h>
#include <string.h>

#define FORM 2 /* of what `read` takes and gives: `asterix_compiled.py` knows one */
#define HEAD 3
#define DAY_US 86400000000LL
#define NEAR_US_MAX (1LL << 60)
#define TARGETS 26
#define FOUND 64 /* items of one profile */
#define ABSENT 255
#define NO_SQUAWK 65535
#define SITES 65536
#define AIR (2LL << 32) /* domains of crafts' keys */
#define AIR_TRACK (4LL << 32)
#define NO_SITE (-1)
#define TOLD (-2) /* a radar whose place is not known, and of which that has been said */

#define KNOTS_A_TICK (3600.0 / 16384)
#define DEGREES_A_TICK (360.0 / 65536)

enum { NOTHING, FIXED, EXTENDED, REPEATED, COMPOUND, EXPLICIT };
enum { UNKNOWN, READ, LEFT }; /* of a category */
enum { LAT, LON, ALTITUDE, SPEED, COURSE, HEADING, CLIMB, FLOATS };
enum { GROUND, EMERGENCY, NIC, NAC_P, SIL, CODES };
/* why a record is no observation; the words are in `asterix_compiled.py` */
enum { NOT_REAL, EXTRAPOLATED, NOT_ICAO, NO_CRAFT };
/* what became of a record */
enum { GOOD, NO_ROW, ODD };
/* the places of items, as `asterix_compiled.py` gives them to the plan: of every category, then of each */
enum { SOURCE, TIME, TIME_2, TIME_3, TIME_4, TIME_5, OWN };
enum { R_KIND = OWN, R_POLAR, R_SQUAWK, R_LEVEL, R_ADDRESS, R_CALLSIGN, R_VELOCITY, R_STATUS, R_TRACK };
enum { B_KIND = OWN, B_FINE, B_COARSE, B_ADDRESS, B_LEVEL, B_HEIGHT, B_RATE, B_RATE_2, B_VELOCITY, B_HEADING,
       B_SQUAWK, B_STATE, B_QUALITY, B_VERSION, B_CALLSIGN };
enum { T_KIND = OWN, T_PLACE, T_VELOCITY, T_ADDRESS, T_CALLSIGN, T_SPEED, T_COURSE, T_HEADING, T_MEASURED, T_LEVEL,
       T_HEIGHT, T_RATE, T_RATE_2, T_RATE_3, T_SQUAWK, T_STATUS, T_STATE, T_TARGET, T_TRACK };
enum { S_PLACE = OWN };

typedef struct {
    int64_t kind, size, first, count, target; /* parts: of a compound item */
} Shape;

typedef struct {
    const uint8_t *at;
    int64_t size;
} Item; /* at: NULL where it is not there */

typedef struct {
    const uint8_t *data;
    const int64_t *begins, *ends, *nears;
    Py_ssize_t spans;
    const Shape *shapes;
    const int64_t *profiles, *kinds; /* of a category: first shape, how many; what is done with it */
    const int16_t *site_of;
    const double *sites; /* latitude, longitude in degrees, height in metres */
    int64_t site_count;
    Py_ssize_t room, rows, refused, refused_room;
    int64_t *time_us, *craft, *refusal, *counts;
    double *number;
    uint8_t *code, *callsign;
    uint16_t *squawk;
    int64_t unplaced, near_us; /* targets of radars that are `TOLD` */
    int chain;                 /* the next block is near the last row */
} Reading;

/* --- items */

/* Which items are there, by the bits that say so; 0 where one is not defined or the block ends. */
static int present(const Shape *shapes, int64_t count, const uint8_t **at, const uint8_t *end, uint8_t *found, int *many)
{
    int64_t frn = 0;
    *many = 0;
    for (int more = 1; more; frn += 7) {
        if (*at >= end || frn >= FOUND) return 0;
        uint8_t octet = *(*at)++;
        for (int bit = 0; bit < 7; bit++) {
            if (!(octet << bit & 0x80)) continue;
            if (frn + bit >= count || shapes[frn + bit].kind == NOTHING) return 0;
            found[(*many)++] = (uint8_t)(frn + bit);
        }
        more = octet & 1;
    }
    return 1;
}

/* Where an item that begins at `at` ends, which may be beyond `end`; NULL where its length is. */
static const uint8_t *after(const Shape *shape, const uint8_t *at, const uint8_t *end)
{
    if (shape->kind == FIXED) return end - at < shape->size ? NULL : at + shape->size;
    if (shape->kind == EXTENDED) {
        do {
            if (end - at < shape->size) return NULL;
            at += shape->size;
        } while (at[-1] & 1);
        return at;
    }
    if (at >= end) return NULL;
    int64_t size = shape->kind == EXPLICIT ? (*at ? *at : 1) : 1 + *at * shape->size;
    return end - at < size ? NULL : at + size;
}

/* The items of the record at `at`; where the next begins, or NULL. `depth`: of compound items. */
static const uint8_t *items_of(const Reading *r, const Shape *shapes, int64_t count, const uint8_t *at,
                               const uint8_t *end, Item *items, int depth)
{
    uint8_t found[FOUND];
    int many;
    if (!present(shapes, count, &at, end, found, &many)) return NULL;
    for (int i = 0; i < many; i++) {
        const Shape *shape = &shapes[found[i]];
        const uint8_t *from = at;
        if (shape->kind == COMPOUND)
            at = depth ? NULL : items_of(r, r->shapes + shape->first, shape->count, at, end, items, 1);
        else
            at = after(shape, at, end);
        if (!at) return NULL;
        if (shape->target >= 0) items[shape->target] = (Item){from, at - from};
    }
    return at;
}

static uint32_t whole(const uint8_t *at, int size)
{
    uint32_t value = 0;
    for (int i = 0; i < size; i++) value = value << 8 | at[i];
    return value;
}

static int32_t with_sign(const uint8_t *at, int size)
{
    return (int32_t)(whole(at, size) << (32 - 8 * size)) >> (32 - 8 * size);
}

/* The lowest `bits` of two bytes, with sign. */
static int32_t low_bits(const uint8_t *at, int bits) { return (int32_t)(whole(at, 2) << (32 - bits)) >> (32 - bits); }

/* --- columns */

static void number(Reading *r, int which, double value) { r->number[which * r->room + r->rows] = value; }
static void code(Reading *r, int which, int value) { r->code[which * r->room + r->rows] = (uint8_t)value; }
static int emergency(const Reading *r) { return r->code[EMERGENCY * r->room + r->rows]; }

static int refuse(Reading *r, int reason, Item item, const uint8_t *record, int category)
{
    if (r->refused >= r->refused_room) return ODD;
    int64_t *to = r->refusal + 5 * r->refused++;
    to[0] = reason, to[1] = category, to[2] = record - r->data;
    to[3] = item.at ? item.at - r->data : 0, to[4] = item.at ? item.size : 0;
    return NO_ROW;
}

static void squawk(Reading *r, Item item)
{
    if (!item.at || item.at[0] & 0xC0) return;
    uint32_t raw = whole(item.at, 2) & 0xFFF;
    int value = (int)((raw >> 9) * 1000 + (raw >> 6 & 7) * 100 + (raw >> 3 & 7) * 10 + (raw & 7));
    r->squawk[r->rows] = (uint16_t)value;
    code(r, EMERGENCY, value == 7700 ? 1 : value == 7600 ? 4 : value == 7500 ? 5 : 0);
}

/* An emergency state beats the squawk; "none" does not hide it. */
static int state(Reading *r, int value)
{
    if (value > 6) return 0;
    if (value || emergency(r) == ABSENT) code(r, EMERGENCY, value);
    return 1;
}

static void military(Reading *r, int flag)
{
    if (flag && (emergency(r) == ABSENT || emergency(r) == 0)) code(r, EMERGENCY, 1);
}

static void ground(Reading *r, int status) /* flight status of Mode S: 0 to 3 say it */
{
    if (status < 4) code(r, GROUND, status & 1);
}

/* Eight characters of six bits, blanks around them gone; 0 where one is none. */
static int callsign(Reading *r, const uint8_t *at)
{
    static const char letters[] = " ABCDEFGHIJKLMNOPQRSTUVWXYZ????? ???????????????0123456789??????";
    uint64_t bits = (uint64_t)whole(at, 2) << 32 | whole(at + 2, 4);
    char text[8];
    int first = 8, last = 0;
    for (int i = 0; i < 8; i++) {
        text[i] = letters[bits >> (42 - 6 * i) & 63];
        if (text[i] == '?') return 0;
        if (text[i] != ' ') first = first < i ? first : i, last = i + 1;
    }
    if (first < last) memcpy(r->callsign + 8 * r->rows, text + first, (size_t)(last - first));
    return 1;
}

static int place(Reading *r, const uint8_t *at, int size, double scale)
{
    double lat = with_sign(at, size) * scale, lon = with_sign(at + size, size) * scale;
    if (fabs(lat) > 90 || fabs(lon) > 180) return 0;
    number(r, LAT, lat);
    number(r, LON, lon);
    return 1;
}

/* Latitude and longitude of what a radar sees: see `radar.py`, name by name. */
static void place_seen(Reading *r, const double *site, double range_nm, double azimuth_deg)
{
    const double major = 6378137.0, flat = 1 / 298.257223563, e2 = flat * (2 - flat), radian = M_PI / 180;
    double lat = site[0] * radian, lon = site[1] * radian, azimuth = azimuth_deg * radian;
    double range = range_nm * 1852.0, feet = r->number[ALTITUDE * r->room + r->rows];
    double height = isnan(feet) ? site[2] : feet * 0.3048;
    double sin_lat = sin(lat), cos_lat = cos(lat), sin_lon = sin(lon), cos_lon = cos(lon);
    double sin_az = sin(azimuth), cos_az = cos(azimuth), inside = 1 - e2 * sin_lat * sin_lat;
    double prime = major / sqrt(inside), east_m = prime, north_m = major * (1 - e2) / (inside * sqrt(inside));
    double radius = 1 / (cos_az * cos_az / north_m + sin_az * sin_az / east_m);
    double at = radius + site[2], to = radius + height;
    double sine = range > 0 ? (to * to - at * at - range * range) / (2 * at * range) : 1.0;
    double up = range * (sine < -1 ? -1 : sine > 1 ? 1 : sine), along = range * range - up * up;
    along = sqrt(along > 0 ? along : 0);
    double east = along * sin_az, north = along * cos_az;
    double outward = up * cos_lat - north * sin_lat + (prime + site[2]) * cos_lat;
    double x = outward * cos_lon - east * sin_lon, y = outward * sin_lon + east * cos_lon;
    double z = (prime * (1 - e2) + site[2] + up) * sin_lat + north * cos_lat;
    double axis = sqrt(x * x + y * y), polar = major * (1 - flat);
    double theta_y = z * major, theta_x = axis * polar, theta = sqrt(theta_y * theta_y + theta_x * theta_x);
    double sin_t = theta > 0 ? theta_y / theta : 0, cos_t = theta > 0 ? theta_x / theta : 1;
    double found = atan2(z + e2 / (1 - e2) * polar * sin_t * sin_t * sin_t,
                         axis - e2 * major * cos_t * cos_t * cos_t);
    number(r, LAT, found / radian);
    number(r, LON, atan2(y, x) / radian);
}

/* --- categories */

/* Who a record is about: an address, else the number of a track (`unnamed.py`), of so many bits; 0: nobody. */
static int known(Reading *r, Item address, Item source, Item track, uint32_t mask)
{
    uint32_t number = address.at ? whole(address.at, 3) : 0;
    if (number != 0 && number != 0xFFFFFF) return r->craft[r->rows] = AIR + number, 1;
    if (!track.at || !source.at) return 0;
    r->craft[r->rows] = AIR_TRACK + ((int64_t)whole(source.at, 2) << 16 | (whole(track.at, 2) & mask));
    return 1;
}

/* CAT048: one target of one radar. */
static int radar_target(Reading *r, const Item *i, const uint8_t *record)
{
    const uint8_t *kind = i[R_KIND].at;
    int more = kind && i[R_KIND].size > 1 ? kind[1] : 0;
    if (kind && (kind[0] & 0x12 || more & 0x80)) return refuse(r, NOT_REAL, i[R_KIND], record, 48);
    if (!known(r, i[R_ADDRESS], i[SOURCE], i[R_TRACK], 0xFFF)) return refuse(r, NO_CRAFT, i[R_ADDRESS], record, 48);
    squawk(r, i[R_SQUAWK]);
    if (i[R_LEVEL].at && !(i[R_LEVEL].at[0] & 0xC0)) number(r, ALTITUDE, low_bits(i[R_LEVEL].at, 14) * 25.0);
    if (i[R_VELOCITY].at) {
        number(r, SPEED, whole(i[R_VELOCITY].at, 2) * KNOTS_A_TICK);
        number(r, COURSE, whole(i[R_VELOCITY].at + 2, 2) * DEGREES_A_TICK);
    }
    if (i[R_STATUS].at) ground(r, i[R_STATUS].at[0] >> 2 & 7);
    if (i[R_CALLSIGN].at && !callsign(r, i[R_CALLSIGN].at)) return ODD;
    military(r, more & 0x10);
    if (!i[R_POLAR].at) return GOOD;
    int64_t site = i[SOURCE].at ? r->site_of[whole(i[SOURCE].at, 2)] : NO_SITE;
    if (site == TOLD) return r->unplaced++, GOOD;
    if (site < 0 || site >= r->site_count) return ODD;
    place_seen(r, r->sites + 3 * site, whole(i[R_POLAR].at, 2) / 256.0, whole(i[R_POLAR].at + 2, 2) * DEGREES_A_TICK);
    return GOOD;
}

/* CAT021: one report of ADS-B. */
static int adsb(Reading *r, const Item *i, const uint8_t *record)
{
    const uint8_t *kind = i[B_KIND].at;
    int more = kind && i[B_KIND].size > 1 ? kind[1] : 0;
    if (kind && (kind[0] & 0x02 || more & 0x30)) return refuse(r, NOT_REAL, i[B_KIND], record, 21);
    if (kind && kind[0] >> 5 > 1) return refuse(r, NOT_ICAO, i[B_KIND], record, 21);
    if (!known(r, i[B_ADDRESS], i[SOURCE], (Item){NULL, 0}, 0)) return refuse(r, NO_CRAFT, i[B_ADDRESS], record, 21);
    if (i[B_FINE].at && !place(r, i[B_FINE].at, 4, 180.0 / (1 << 30))) return ODD;
    if (!i[B_FINE].at && i[B_COARSE].at && !place(r, i[B_COARSE].at, 3, 180.0 / (1 << 23))) return ODD;
    if (kind && i[B_KIND].size > 1) code(r, GROUND, more & 0x40 ? 1 : 0);
    if (i[B_LEVEL].at) number(r, ALTITUDE, with_sign(i[B_LEVEL].at, 2) * 25.0);
    else if (i[B_HEIGHT].at && whole(i[B_HEIGHT].at, 2) != 0x7FFF) number(r, ALTITUDE, with_sign(i[B_HEIGHT].at, 2) * 6.25);
    Item rate = i[B_RATE].at ? i[B_RATE] : i[B_RATE_2];
    if (rate.at && !(rate.at[0] & 0x80)) number(r, CLIMB, low_bits(rate.at, 15) * 6.25);
    if (i[B_VELOCITY].at && !(i[B_VELOCITY].at[0] & 0x80)) {
        number(r, SPEED, whole(i[B_VELOCITY].at, 2) * KNOTS_A_TICK);
        number(r, COURSE, whole(i[B_VELOCITY].at + 2, 2) * DEGREES_A_TICK);
    }
    if (i[B_HEADING].at) number(r, HEADING, whole(i[B_HEADING].at, 2) * DEGREES_A_TICK);
    squawk(r, i[B_SQUAWK]);
    if (i[B_STATE].at) {
        if (!state(r, i[B_STATE].at[0] >> 2 & 7)) return ODD;
        military(r, i[B_STATE].at[0] & 0x20);
    }
    if (i[B_QUALITY].at) {
        int version = i[B_VERSION].at ? i[B_VERSION].at[0] >> 3 & 7 : 0;
        if (version == 1 || version == 2) code(r, NIC, i[B_QUALITY].at[0] >> 1 & 15);
        if (i[B_QUALITY].size > 1) {
            code(r, SIL, i[B_QUALITY].at[1] >> 5 & 3);
            code(r, NAC_P, i[B_QUALITY].at[1] >> 1 & 15);
        }
    }
    return i[B_CALLSIGN].at && !callsign(r, i[B_CALLSIGN].at) ? ODD : GOOD;
}

static void track_motion(Reading *r, const Item *i)
{
    if (i[T_VELOCITY].at) {
        double east = with_sign(i[T_VELOCITY].at, 2) / 4.0, north = with_sign(i[T_VELOCITY].at + 2, 2) / 4.0;
        double course = atan2(east, north) * (180 / M_PI);
        number(r, SPEED, hypot(east, north) * (3600.0 / 1852));
        number(r, COURSE, course < 0 ? course + 360 : course);
    } else if (i[T_SPEED].at && i[T_COURSE].at) {
        number(r, SPEED, with_sign(i[T_SPEED].at, 2) * KNOTS_A_TICK);
        number(r, COURSE, whole(i[T_COURSE].at, 2) * DEGREES_A_TICK);
    }
    if (i[T_HEADING].at) number(r, HEADING, whole(i[T_HEADING].at, 2) * DEGREES_A_TICK);
    if (i[T_MEASURED].at) number(r, ALTITUDE, with_sign(i[T_MEASURED].at, 2) * 25.0);
    else if (i[T_LEVEL].at && !(i[T_LEVEL].at[0] & 0x80)) number(r, ALTITUDE, low_bits(i[T_LEVEL].at, 15) * 25.0);
    else if (i[T_HEIGHT].at) number(r, ALTITUDE, with_sign(i[T_HEIGHT].at, 2) * 6.25);
    Item rate = i[T_RATE].at ? i[T_RATE] : i[T_RATE_2].at ? i[T_RATE_2] : i[T_RATE_3];
    if (rate.at) number(r, CLIMB, with_sign(rate.at, 2) * 6.25);
}

/* CAT062: one track of a centre. */
static int system_track(Reading *r, const Item *i, const uint8_t *record)
{
    const uint8_t *status = i[T_KIND].at;
    int64_t size = status ? i[T_KIND].size : 0;
    if (size > 1 && status[1] & 0x80) return refuse(r, NOT_REAL, i[T_KIND], record, 62);
    if (size > 3 && status[3] & 0x80) return refuse(r, EXTRAPOLATED, i[T_KIND], record, 62);
    if (!known(r, i[T_ADDRESS], i[SOURCE], i[T_TRACK], 0xFFFF)) return refuse(r, NO_CRAFT, i[T_ADDRESS], record, 62);
    if (i[T_PLACE].at && !place(r, i[T_PLACE].at, 4, 180.0 / (1 << 25))) return ODD;
    track_motion(r, i);
    squawk(r, i[T_SQUAWK]);
    if (i[T_STATUS].at) ground(r, i[T_STATUS].at[0] >> 2 & 7);
    if (i[T_STATE].at) {
        if (!state(r, i[T_STATE].at[1] & 7)) return ODD;
        if (i[T_STATE].at[0] & 0x02) code(r, GROUND, 1);
    }
    military(r, size > 2 && status[2] & 0x10);
    const uint8_t *text = i[T_CALLSIGN].at ? i[T_CALLSIGN].at : i[T_TARGET].at ? i[T_TARGET].at + 1 : NULL;
    return text && !callsign(r, text) ? ODD : GOOD;
}

/* --- blocks */

/* When a record was made: the moment nearest to `near_us` at its time of day; 0 where it says none. */
static int64_t dated(const Item *items, int64_t near_us)
{
    for (int i = TIME; i <= TIME_5; i++) {
        if (!items[i].at) continue;
        int64_t of_day_us = (int64_t)whole(items[i].at, 3) * 1000000 / 128, off_us = near_us - of_day_us + DAY_US / 2;
        if (of_day_us >= DAY_US) return 0;
        int64_t days = off_us / DAY_US - (off_us % DAY_US < 0);
        return days * DAY_US + of_day_us > 0 ? days * DAY_US + of_day_us : 0;
    }
    return 0;
}

static int take(Reading *r, int category, const Item *items, const uint8_t *record)
{
    if (category == 34 && items[S_PLACE].at) { /* learnt by the other reader, unless it is known */
        int64_t site = items[SOURCE].at ? r->site_of[whole(items[SOURCE].at, 2)] : NO_SITE;
        return site < 0 ? ODD : NO_ROW;
    }
    if (category != 48 && category != 21 && category != 62) return NO_ROW;
    int64_t time_us = dated(items, r->near_us);
    if (!time_us || r->rows >= r->room) return ODD;
    Py_ssize_t row = r->rows;
    for (int i = 0; i < FLOATS; i++) number(r, i, NAN);
    for (int i = 0; i < CODES; i++) code(r, i, ABSENT);
    r->squawk[row] = NO_SQUAWK;
    memset(r->callsign + 8 * row, 0, 8);
    r->time_us[row] = time_us;
    return category == 48 ? radar_target(r, items, record) : category == 21 ? adsb(r, items, record)
                                                                           : system_track(r, items, record);
}

/* All of one block, or nothing of it: then it is for the other reader. */
static int block(Reading *r, const uint8_t *at, const uint8_t *end)
{
    int category = at[0];
    if (r->kinds[category] == LEFT) return r->counts[category]++, 1;
    if (r->kinds[category] != READ) return 0;
    Py_ssize_t rows = r->rows, refused = r->refused;
    int64_t unplaced = r->unplaced, count = 0;
    const Shape *shapes = r->shapes + r->profiles[2 * category];
    for (at += HEAD; at && at < end; count++) {
        Item items[TARGETS] = {{NULL, 0}};
        const uint8_t *record = at;
        at = items_of(r, shapes, r->profiles[2 * category + 1], at, end, items, 0);
        int came = at ? take(r, category, items, record) : ODD;
        if (came == ODD) {
            r->rows = rows, r->refused = refused, r->unplaced = unplaced;
            return 0;
        }
        r->rows += came == GOOD;
    }
    r->counts[category] += count;
    if (r->chain && r->rows > rows) r->near_us = r->time_us[r->rows - 1];
    return 1;
}

/* Blocks from one place on, until one is left or all are read; where that is. */
static void read_all(Reading *r, Py_ssize_t *span, int64_t *at)
{
    for (; *span < r->spans; *at = ++*span < r->spans ? r->begins[*span] : 0) {
        if (!r->chain) r->near_us = r->nears[*span];
        for (int64_t end = r->ends[*span]; *at < end;) {
            int64_t size = end - *at < HEAD ? 0 : (int64_t)whole(r->data + *at + 1, 2);
            if (size < HEAD || size > end - *at || !block(r, r->data + *at, r->data + *at + size)) return;
            *at += size;
        }
    }
}

/* --- for Python */

static int plan_is_sound(const Reading *r, Py_ssize_t shapes)
{
    for (Py_ssize_t i = 0; i < shapes; i++) {
        const Shape *s = &r->shapes[i];
        if (s->kind < NOTHING || s->kind > EXPLICIT || s->target < -1 || s->target >= TARGETS) return 0;
        if (s->kind != COMPOUND && s->kind != NOTHING && (s->size < 1 || s->size > 255)) return 0;
        if (s->kind == COMPOUND && (s->first < 0 || s->count < 0 || s->count > FOUND || s->first > shapes - s->count))
            return 0;
    }
    for (int i = 0; i < 256; i++) {
        int64_t first = r->profiles[2 * i], count = r->profiles[2 * i + 1];
        if (first < 0 || count < 0 || count > FOUND || first > shapes - count) return 0;
    }
    return 1;
}

static int spans_are_sound(const Reading *r, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < r->spans; i++) {
        if (r->begins[i] < 0 || r->begins[i] > r->ends[i] || r->ends[i] > size) return 0;
        if (r->nears[i] < 0 || r->nears[i] > NEAR_US_MAX) return 0;
    }
    return 1;
}

static PyObject *read_blocks(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[18];
    long long at, near_us, rows, room;
    Py_ssize_t span;
    Reading r = {.unplaced = 0};
    if (!PyArg_ParseTuple(args, "nLLpLL(OOOO)(OOOOO)(OOOOOOOO)", &span, &at, &near_us, &r.chain, &rows, &room, &given[0],
                          &given[1], &given[2], &given[3], &given[4], &given[5], &given[6], &given[7], &given[8],
                          &given[9], &given[10], &given[11], &given[12], &given[13], &given[14], &given[15], &given[16]))
        return NULL;
    Py_ssize_t spans = PyObject_Size(given[1]);
    if (spans < 0) return NULL;
    const Wanted wanted[17] = {
        {1, 0, 0}, {8, spans, 0}, {8, spans, 0}, {8, spans, 0},          /* data; begin, end, near of each span */
        {8, 0, 0}, {8, 512, 0}, {8, 256, 0}, {2, SITES, 0}, {8, 0, 0},   /* shapes, profiles, kinds; sites */
        {8, room, 1}, {8, room, 1}, {8, FLOATS * room, 1}, {1, CODES * room, 1}, {2, room, 1}, {1, 8 * room, 1},
        {8, 0, 1}, {8, 256, 1},                                          /* refusals, counts */
    };
    Arrays a = {.held = 0};
    for (int i = 0; i < 17; i++)
        if (room < 0 || room > PY_SSIZE_T_MAX / 64 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    r.data = AT(&a, 0, const uint8_t), r.begins = AT(&a, 1, const int64_t), r.ends = AT(&a, 2, const int64_t);
    r.nears = AT(&a, 3, const int64_t), r.spans = spans, r.shapes = AT(&a, 4, const Shape);
    r.profiles = AT(&a, 5, const int64_t), r.kinds = AT(&a, 6, const int64_t), r.site_of = AT(&a, 7, const int16_t);
    r.sites = AT(&a, 8, const double), r.site_count = COUNT(&a, 8) / 3, r.room = room, r.rows = rows;
    r.time_us = AT(&a, 9, int64_t), r.craft = AT(&a, 10, int64_t), r.number = AT(&a, 11, double);
    r.code = AT(&a, 12, uint8_t), r.squawk = AT(&a, 13, uint16_t), r.callsign = AT(&a, 14, uint8_t);
    r.refusal = AT(&a, 15, int64_t), r.refused_room = COUNT(&a, 15) / 5, r.counts = AT(&a, 16, int64_t);
    r.near_us = near_us;
    int sound = plan_is_sound(&r, COUNT(&a, 4) / 5) && spans_are_sound(&r, COUNT(&a, 0)) && rows >= 0 && rows <= room &&
                near_us >= 0 && near_us <= NEAR_US_MAX && span >= 0 && span <= spans &&
                (span == spans || (at >= r.begins[span] && at <= r.ends[span]));
    if (!sound) {
        let_go(&a);
        PyErr_SetString(PyExc_ValueError, "a plan or spans that cannot be");
        return NULL;
    }
    int64_t next = at;
    Py_BEGIN_ALLOW_THREADS
    read_all(&r, &span, &next);
    Py_END_ALLOW_THREADS
    let_go(&a);
    return Py_BuildValue("nLnnLL", span, (long long)next, r.rows, r.refused, (long long)r.unplaced, (long long)r.near_us);
}

/* run(data, at, known): where the whole blocks of known categories that follow each other from `at` on end. */
static PyObject *run(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[2];
    Py_ssize_t at;
    Arrays a = {.held = 0};
    if (!PyArg_ParseTuple(args, "OnO", &given[0], &at, &given[1])) return NULL;
    if (!hold(&a, given[0], (Wanted){1, 0, 0}) || !hold(&a, given[1], (Wanted){1, 256, 0})) return let_go(&a), NULL;
    const uint8_t *data = AT(&a, 0, uint8_t), *known = AT(&a, 1, uint8_t);
    Py_ssize_t end = COUNT(&a, 0);
    while (at >= 0 && end - at >= HEAD && known[data[at]]) {
        Py_ssize_t size = (Py_ssize_t)whole(data + at + 1, 2);
        if (size <= HEAD || size > end - at) break;
        at += size;
    }
    let_go(&a);
    return PyLong_FromSsize_t(at);
}

static PyMethodDef methods[] = {
    {"read", read_blocks, METH_VARARGS, "Blocks to columns: see _asterix.pyi."},
    {"run", run, METH_VARARGS, "Whole blocks one after another: see _asterix.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_asterix", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__asterix(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddIntConstant(module, "FORM", FORM)) Py_CLEAR(module);
    return module;
}
