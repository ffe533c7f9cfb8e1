/* AIS sentences to columns, a piece of input at a time; `nmea.py` and `ais.py` say the same in numpy and
   are what is true. Which field lies where comes from there too, as a plan: no offset stands here.

   These bytes come from outside. A line is never read beyond its end; of a payload the first `SIXES`
   characters are taken and no more; every row, text and refusal is counted against the room there is.
   Held equal to the other reader by tests/formats/test_ais_compiled.py. */

#include "../base/arrays.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FORM 1 /* of what `read` takes and gives: `ais_compiled.py` knows one */
#define NO_TIME INT64_MIN
#define SIXES 169  /* characters of the longest message that is read */
#define OPEN 64    /* messages in several sentences whose later parts are awaited */
#define PART_LINES 1000
#define MINUTE_US 60000000LL
#define SECOND_US 1000000LL
#define LAYOUTS 32 /* by message type; 24B and 24B auxiliary are 28 and 29 */
#define FLOATS 6
#define CODES 4

enum { TOO_LONG, NOISE, UNFRAMED, CHECKSUM, TAG, UNFORMED, ORPHAN, MISSING, PAYLOAD, UNKNOWN, SHORT };
enum { TAG_BLOCK, PGHP, GIVEN, RECORDED, RECEIVED };
enum { MINUTES, OVER, TIMES, CODE, FLAG, TEXT };

typedef struct {
    uint8_t key[5]; /* talker, how many parts, sequence, channel */
    uint8_t heard;
    uint8_t sixes[SIXES];
    int64_t length, line, time_us, source;
} Open;

typedef struct {
    int64_t count;
    Open open[OPEN]; /* in the order in which they were opened */
} State;

typedef struct {
    int64_t column, kind, offset, width, is_signed, absent, times;
} Field;

typedef struct {
    int64_t first, after, needed, second; /* of its fields; bits that must be there; where the second is */
} Layout;

typedef struct {
    const uint8_t *start, *end, *begin, *star; /* star: NULL where the sentence has none */
    int64_t number;
} Line;

typedef struct {
    const uint8_t *data;
    Py_ssize_t size;
    State *state;
    const Layout *layouts;
    const Field *fields;
    const double *factors;
    int64_t lines, last_us, last_source, line_bytes;
    int said;
    /* what is made; room: of a column, texts and refusals have their own */
    Py_ssize_t room, rows, texts, text_room, text_bytes, text_bytes_room, refused, refused_room;
    int64_t *time_us, *mmsi, *line, *counts, *made, *text, *refusal;
    uint8_t *source, *type, *second, *code, *there, *characters;
    double *number;
} Reading;

static uint8_t six[256];   /* of a character of a payload; 255: none */
static uint8_t nibble[256]; /* of a hexadecimal digit; 255: none */

static void refuse(Reading *r, int reason, const Line *line, int64_t number, int64_t type)
{
    if (r->refused >= r->refused_room) return;
    int64_t *at = r->refusal + 5 * r->refused++;
    at[0] = reason;
    at[1] = number;
    at[2] = line ? line->start - r->data : 0;
    at[3] = line ? line->end - r->data : 0;
    at[4] = type;
}

static const uint8_t *find(const uint8_t *from, const uint8_t *end, uint8_t character)
{
    return from < end ? memchr(from, character, (size_t)(end - from)) : NULL;
}

/* Whether the XOR of what lies between `begin` and `star` is the number behind the star. */
static int sum_fits(const uint8_t *begin, const uint8_t *star, const uint8_t *end)
{
    if (star + 3 > end) return 0;
    uint8_t high = nibble[star[1]], low = nibble[star[2]], sum = 0;
    const uint8_t *at = begin + 1;
    uint64_t eight, sums = 0;
    for (; at + 8 <= star; at += 8) sums ^= (memcpy(&eight, at, 8), eight);
    for (; at < star; at++) sum ^= *at;
    for (; sums; sums >>= 8) sum ^= (uint8_t)sums;
    return high < 16 && low < 16 && sum == (high << 4 | low);
}

/* A decimal number of at most `digits`, and nothing else between `from` and `to`; -1 where there is none. */
static int64_t decimal(const uint8_t *from, const uint8_t *to, int digits)
{
    if (!to || to <= from || to - from > digits) return -1;
    int64_t value = 0;
    for (; from < to; from++) {
        if (*from < '0' || *from > '9') return -1;
        value = value * 10 + (*from - '0');
    }
    return value;
}

/* --- lines */

/* Where the sentence of a line begins: behind its tag block, and at its last "!". */
static void measure(Reading *r, Line *line, const uint8_t *from, const uint8_t *newline)
{
    line->number = ++r->lines;
    line->start = line->begin = from;
    line->end = newline > from && newline[-1] == '\r' ? newline - 1 : newline;
    if (*from == '\\') {
        const uint8_t *closing = find(from + 1, line->end, '\\');
        if (closing) line->begin = closing + 1;
    }
    if (*from != '#')
        for (const uint8_t *mark = line->begin; (mark = find(mark + 1, line->end, '!'));) line->begin = mark;
    line->star = find(line->begin, line->end, '*');
}

static int64_t days_before(int64_t year, int64_t month) /* 1970-01-01 is 0; month from 1 (H. Hinnant) */
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* $PGHP,1,year,month,day,hour,minute,second,millisecond,... */
static int64_t pghp_time(const Line *line)
{
    int64_t value[7];
    const uint8_t *from = line->begin + 8;
    for (int i = 0; i < 7; i++) {
        const uint8_t *comma = find(from, line->end, ',');
        value[i] = comma ? decimal(from, comma, 4) : -1;
        if (value[i] < 0) return NO_TIME;
        from = comma + 1;
    }
    int64_t year = value[0], month = value[1], day = value[2];
    if (year < 1970 || month < 1 || month > 12 || day < 1 || value[3] > 23 || value[4] > 59 || value[5] > 60 ||
        value[6] > 999)
        return NO_TIME;
    int64_t first = days_before(year, month);
    int64_t next = month == 12 ? days_before(year + 1, 1) : days_before(year, month + 1);
    if (day > next - first) return NO_TIME;
    int64_t seconds = ((first + day - 1) * 24 + value[3]) * 3600 + value[4] * 60 + value[5];
    return seconds * SECOND_US + value[6] * 1000;
}

/* Seconds since 1970 behind the last comma behind the checksum. */
static int64_t trailing_time(const Line *line)
{
    const uint8_t *comma = line->end - 1;
    while (comma > line->star && *comma != ',') comma--;
    int64_t seconds = comma > line->star ? decimal(comma + 1, line->end, 10) : -1;
    return seconds >= 1000000 ? seconds * SECOND_US : NO_TIME;
}

/* Parameter c of a tag block, whose star and end are given and whose sum fits. */
static int64_t tag_time(const Line *line, const uint8_t *star)
{
    for (const uint8_t *at = line->start + 1; at + 1 < star; at++) {
        if (at[0] != 'c' || at[1] != ':' || (at[-1] != '\\' && at[-1] != ',')) continue;
        const uint8_t *comma = find(at, star, ',');
        int64_t value = decimal(at + 2, comma ? comma : star, 13);
        if (value < 1000000) return NO_TIME;
        return value * (value >= 100000000000LL ? 1000 : SECOND_US);
    }
    return NO_TIME;
}

static void say(Reading *r, int64_t time_us, int64_t source)
{
    if (time_us == NO_TIME) return;
    r->last_us = time_us;
    r->last_source = source;
    r->said = 1;
}

/* --- messages */

/* The big-endian bits `offset` to `offset + width`, of at most 32, out of packed bytes. */
static int64_t bits_of(const uint8_t *packed, int64_t offset, int64_t width)
{
    uint64_t value = 0;
    for (int i = 0; i < 5; i++) value = value << 8 | packed[(offset >> 3) + i];
    return (int64_t)(value >> (40 - (offset & 7) - width) & ((1ULL << width) - 1));
}

static void pack(const uint8_t *sixes, int count, uint8_t *packed)
{
    uint32_t held = 0;
    for (int i = 0, bits = 0; i < count; i++) {
        held = held << 6 | sixes[i];
        bits += 6;
        while (bits >= 8) *packed++ = (uint8_t)(held >> (bits -= 8));
        if (i == count - 1 && bits) *packed++ = (uint8_t)(held << (8 - bits));
    }
}

/* Six-bit text up to its first @, blanks around it gone. */
static void take_text(Reading *r, const Field *field, const uint8_t *packed, int64_t bits)
{
    int64_t whole = (bits - field->offset) / 6;
    int64_t count = bits < field->offset ? 0 : whole < field->width / 6 ? whole : field->width / 6;
    if (r->texts >= r->text_room || r->text_bytes + count > r->text_bytes_room) return;
    uint8_t *text = r->characters + r->text_bytes;
    int64_t length = 0, from = 0;
    for (; length < count; length++) {
        int64_t value = bits_of(packed, field->offset + 6 * length, 6);
        if (!value) break;
        text[length] = (uint8_t)(value < 32 ? value + 64 : value);
    }
    while (length && text[length - 1] == ' ') length--;
    while (from < length && text[from] == ' ') from++;
    if (from == length) return;
    int64_t *at = r->text + 4 * r->texts++;
    at[0] = field->column;
    at[1] = r->rows;
    at[2] = r->text_bytes + from;
    at[3] = length - from;
    r->text_bytes += length;
}

static void take_number(Reading *r, const Field *field, double factor, int64_t raw, int there)
{
    if (field->kind == CODE || field->kind == FLAG) {
        Py_ssize_t at = field->column * r->room + r->rows;
        there = there && (field->kind == FLAG || raw != field->absent);
        r->there[at] = (uint8_t)there;
        r->code[at] = (uint8_t)raw;
        return;
    }
    double *to = &r->number[field->column * r->room + r->rows];
    if (field->kind == MINUTES) {
        int64_t tenths = field->times * raw + 3, whole = tenths / 6;
        if (tenths % 6 < 0) whole--;
        if (there && raw != field->absent) *to = (double)whole / 1e6;
    } else if (there && raw < field->absent) {
        *to = field->kind == OVER ? (double)raw / factor : (double)raw * factor;
    }
}

/* Which layout a message has; LAYOUTS where none. */
static int layout_of(const uint8_t *packed, int type, int64_t mmsi)
{
    if (type != 24) return type;
    int64_t part = bits_of(packed, 38, 2);
    if (part > 1) return LAYOUTS;
    return part == 0 ? 24 : mmsi / 10000000 == 98 ? 29 : 28;
}

static void take_row(Reading *r, const Layout *layout, const uint8_t *packed, int64_t bits)
{
    Py_ssize_t row = r->rows;
    for (int i = 0; i < FLOATS; i++) r->number[i * r->room + row] = NAN;
    for (int i = 0; i < CODES; i++) r->there[i * r->room + row] = r->code[i * r->room + row] = 0;
    r->second[row] = layout->second < 0 ? 60 : (uint8_t)bits_of(packed, layout->second, 6);
    for (int64_t i = layout->first; i < layout->after; i++) {
        const Field *field = &r->fields[i];
        if (field->kind == TEXT) {
            take_text(r, field, packed, bits);
            continue;
        }
        int64_t raw = bits_of(packed, field->offset, field->width);
        if (field->is_signed) raw -= (raw >> (field->width - 1)) << field->width;
        take_number(r, field, r->factors[i], raw, bits >= field->offset + field->width);
    }
}

/* One whole message: its six-bit values (255: no such character), as many as are looked at, and its length
   in characters. */
static void message(Reading *r, const uint8_t *sixes, int64_t length, int fill, int64_t time_us, int64_t source)
{
    int count = length < SIXES ? (int)length : SIXES, type = sixes[0];
    int64_t bits = length * 6 - fill, said = type == 255 ? -1 : type;
    uint8_t worst = 0;
    for (int i = 0; i < count; i++) worst |= sixes[i];
    if (worst & 0xC0) return refuse(r, PAYLOAD, NULL, r->lines, said);
    if (type < 1 || type > 27) return refuse(r, UNKNOWN, NULL, r->lines, said);
    if (bits < 38) return refuse(r, SHORT, NULL, r->lines, said);
    uint8_t packed[SIXES * 6 / 8 + 16] = {0};
    pack(sixes, count, packed);
    int64_t mmsi = bits_of(packed, 8, 30);
    r->counts[type]++;
    int which = layout_of(packed, type, mmsi);
    if (which == LAYOUTS || r->layouts[which].needed < 0 || r->rows >= r->room) return;
    const Layout *layout = &r->layouts[which];
    if (bits < layout->needed) return refuse(r, SHORT, NULL, r->lines, said);
    r->made[which] = 1;
    take_row(r, layout, packed, bits);
    r->mmsi[r->rows] = mmsi;
    r->type[r->rows] = (uint8_t)type;
    r->time_us[r->rows] = time_us;
    r->source[r->rows] = (uint8_t)source;
    r->line[r->rows++] = r->lines;
}

/* --- messages in several sentences */

static void remove_open(State *state, int at)
{
    state->count--;
    memmove(&state->open[at], &state->open[at + 1], (size_t)(state->count - at) * sizeof(Open));
}

static void add_open(Reading *r, const Open *opened)
{
    State *state = r->state;
    if (state->count >= OPEN) {
        refuse(r, MISSING, NULL, state->open[0].line, -1);
        remove_open(state, 0);
    }
    state->open[state->count++] = *opened;
}

static void append(Open *to, const uint8_t *payload, int64_t length)
{
    for (int64_t i = 0, at = to->length; i < length && at < SIXES; i++, at++) to->sixes[at] = six[payload[i]];
    to->length += length;
}

static void part_of(Reading *r, const uint8_t key[5], int part, const uint8_t *payload, int64_t length, int fill)
{
    State *state = r->state;
    int at = 0;
    while (at < state->count && memcmp(state->open[at].key, key, 5)) at++;
    Open whole = {.heard = 0};
    int before = at < state->count;
    if (before) {
        whole = state->open[at];
        remove_open(state, at);
    }
    if (part == 1) {
        if (before) refuse(r, MISSING, NULL, whole.line, -1);
        memcpy(whole.key, key, 5);
        whole.length = 0;
        whole.time_us = r->last_us;
        whole.source = r->last_source;
    } else {
        int timed = whole.time_us != NO_TIME && r->last_us != NO_TIME;
        int64_t apart_us = timed ? llabs(r->last_us - whole.time_us) : 0;
        int near = r->lines - whole.line <= PART_LINES && apart_us <= MINUTE_US;
        if (!before || whole.heard != part - 1 || !near) {
            refuse(r, ORPHAN, NULL, r->lines, -1);
            if (before) refuse(r, MISSING, NULL, whole.line, -1);
            return;
        }
    }
    whole.heard = (uint8_t)part;
    whole.line = r->lines;
    append(&whole, payload, length);
    if (part > 1 && part == key[2]) message(r, whole.sixes, whole.length, fill, whole.time_us, whole.source);
    else add_open(r, &whole);
}

/* --- sentences */

/* !AIVDM,parts,part,sequence,channel,payload,fill*sum */
static void ais_sentence(Reading *r, const Line *line)
{
    const uint8_t *comma[6], *from = line->begin;
    for (int i = 0; i < 6; i++) {
        comma[i] = find(from, line->star, ',');
        if (!comma[i]) return refuse(r, UNFORMED, line, line->number, -1);
        from = comma[i] + 1;
    }
    int parts = comma[0][1] - '0', part = comma[1][1] - '0', fill = comma[5][1] - '0';
    int formed = comma[0] == line->begin + 6 && comma[1] == line->begin + 8 && comma[2] == line->begin + 10 &&
                 comma[3] - comma[2] <= 2 && comma[4] - comma[3] <= 2 && comma[5] + 2 == line->star &&
                 fill >= 0 && fill <= 5 && part >= 1 && part <= parts && parts <= 9 && comma[5] > comma[4] + 1;
    if (!formed) return refuse(r, UNFORMED, line, line->number, -1);
    const uint8_t *payload = comma[4] + 1;
    int64_t length = comma[5] - payload;
    if (parts > 1) {
        uint8_t key[5] = {line->begin[1], line->begin[2], (uint8_t)parts, comma[2][1], comma[3][1]};
        return part_of(r, key, part, payload, length, fill);
    }
    uint8_t sixes[SIXES];
    int count = length < SIXES ? (int)length : SIXES;
    for (int i = 0; i < count; i++) sixes[i] = six[payload[i]];
    message(r, sixes, length, fill, r->last_us, r->last_source);
}

/* The time that a line's tag block says; refuses a damaged one. */
static int64_t tag_block(Reading *r, const Line *line)
{
    const uint8_t *closing = find(line->start + 1, line->end, '\\');
    const uint8_t *star = closing ? find(line->start, closing, '*') : NULL;
    if (!star || !sum_fits(line->start, star, line->end)) {
        refuse(r, TAG, line, line->number, -1);
        return NO_TIME;
    }
    return tag_time(line, star);
}

/* Whether a line has a sentence whose sum fits; refuses what has none. */
static int is_good(Reading *r, const Line *line)
{
    if (line->end - line->start > r->line_bytes) return refuse(r, TOO_LONG, line, line->number, -1), 0;
    if (line->begin >= line->end || *line->begin == '#') return 0;
    if (*line->begin != '!' && *line->begin != '$') return refuse(r, NOISE, line, line->number, -1), 0;
    if (!line->star || line->star + 3 > line->end) return refuse(r, UNFRAMED, line, line->number, -1), 0;
    if (!sum_fits(line->begin, line->star, line->end)) return refuse(r, CHECKSUM, line, line->number, -1), 0;
    return 1;
}

static void read_line(Reading *r, const Line *line)
{
    int64_t tagged_us = *line->start == '\\' ? tag_block(r, line) : NO_TIME;
    int good = is_good(r, line), ais = 0;
    Py_ssize_t said = line->end - line->begin;
    if (good && said >= 8 && !memcmp(line->begin, "$PGHP,1,", 8)) {
        say(r, pghp_time(line), PGHP);
    } else if (good) {
        int message = said >= 6 && (!memcmp(line->begin + 3, "VDM", 3) || !memcmp(line->begin + 3, "VDO", 3));
        ais = *line->begin == '!' && message;
        if (ais) say(r, trailing_time(line), RECORDED);
        else { /* not refused: another sentence, to be counted */
            Line sentence = {.start = line->begin, .end = line->end};
            refuse(r, -1, &sentence, line->number, -1);
        }
    }
    say(r, tagged_us, TAG_BLOCK);
    if (ais) ais_sentence(r, line);
}

static void read_all(Reading *r)
{
    const uint8_t *at = r->data, *end = r->data + r->size, *newline;
    while ((newline = find(at, end, '\n'))) {
        Line line;
        measure(r, &line, at, newline);
        read_line(r, &line);
        at = newline + 1;
    }
}

/* --- for Python */

/* Whether every field of the plan lies inside what is unpacked, and every column inside what is made. */
static int plan_is_sound(const Reading *r, Py_ssize_t fields)
{
    for (int i = 0; i < LAYOUTS; i++) {
        const Layout *l = &r->layouts[i];
        if (l->first < 0 || l->after > fields || l->second > SIXES * 6 - 6) return 0;
    }
    for (Py_ssize_t i = 0; i < fields; i++) {
        const Field *f = &r->fields[i];
        int text = f->kind == TEXT, code = f->kind == CODE || f->kind == FLAG;
        if (f->offset < 0 || f->width < 1 || f->offset + f->width > SIXES * 6 || (!text && f->width > 32)) return 0;
        if (f->column < 0 || f->column >= (text ? 3 : code ? CODES : FLOATS)) return 0;
    }
    return 1;
}

static PyObject *read_piece(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *given[19];
    Reading r = {.said = 0};
    long long lines, last_us, last_source, line_bytes, room;
    if (!PyArg_ParseTuple(args, "LLLLL(OOOOO)(OOOOOOOOOOOOOO)", &lines, &last_us, &last_source, &line_bytes, &room,
                          &given[0], &given[1], &given[2], &given[3], &given[4], &given[5], &given[6], &given[7],
                          &given[8], &given[9], &given[10], &given[11], &given[12], &given[13], &given[14],
                          &given[15], &given[16], &given[17], &given[18]))
        return NULL;
    const Wanted wanted[19] = {
        {1, 0, 0}, {1, sizeof(State), 1}, {8, 4 * LAYOUTS, 0}, {8, 0, 0}, {8, 0, 0}, /* data, state, plan */
        {8, room, 1}, {8, room, 1}, {8, room, 1}, {1, room, 1}, {1, room, 1}, {1, room, 1},
        {8, FLOATS * room, 1}, {1, CODES * room, 1}, {1, CODES * room, 1}, {8, 28, 1}, {8, LAYOUTS, 1},
        {8, 0, 1}, {1, 0, 1}, {8, 0, 1}, /* texts, their characters, refusals */
    };
    Arrays a = {.held = 0};
    for (int i = 0; i < 19; i++)
        if (room < 0 || !hold(&a, given[i], wanted[i])) return let_go(&a), NULL;
    r.data = AT(&a, 0, const uint8_t), r.size = COUNT(&a, 0), r.state = AT(&a, 1, State);
    r.layouts = AT(&a, 2, const Layout), r.fields = AT(&a, 3, const Field), r.factors = AT(&a, 4, const double);
    r.lines = lines, r.last_us = last_us, r.last_source = last_source, r.line_bytes = line_bytes, r.room = room;
    r.time_us = AT(&a, 5, int64_t), r.mmsi = AT(&a, 6, int64_t), r.line = AT(&a, 7, int64_t);
    r.source = AT(&a, 8, uint8_t), r.type = AT(&a, 9, uint8_t), r.second = AT(&a, 10, uint8_t);
    r.number = AT(&a, 11, double), r.code = AT(&a, 12, uint8_t), r.there = AT(&a, 13, uint8_t);
    r.counts = AT(&a, 14, int64_t), r.made = AT(&a, 15, int64_t);
    r.text = AT(&a, 16, int64_t), r.text_room = COUNT(&a, 16) / 4;
    r.characters = AT(&a, 17, uint8_t), r.text_bytes_room = COUNT(&a, 17);
    r.refusal = AT(&a, 18, int64_t), r.refused_room = COUNT(&a, 18) / 5;
    Py_ssize_t fields = COUNT(&a, 3) / 7;
    if (COUNT(&a, 4) < fields || !plan_is_sound(&r, fields) || r.state->count < 0 || r.state->count > OPEN) {
        let_go(&a);
        PyErr_SetString(PyExc_ValueError, "a plan or state that cannot be");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    read_all(&r);
    Py_END_ALLOW_THREADS
    let_go(&a);
    return Py_BuildValue("nnnLLLi", r.rows, r.texts, r.refused, (long long)r.lines, (long long)r.last_us,
                         (long long)r.last_source, r.said);
}

static PyObject *open_lines(PyObject *module, PyObject *state)
{
    (void)module;
    Arrays a = {.held = 0};
    if (!hold(&a, state, (Wanted){1, sizeof(State), 1})) return let_go(&a), NULL;
    State *s = AT(&a, 0, State);
    PyObject *lines = PyList_New(0);
    for (int64_t i = 0; lines && i < s->count && i < OPEN; i++) {
        PyObject *line = PyLong_FromLongLong(s->open[i].line);
        if (!line || PyList_Append(lines, line)) Py_CLEAR(lines);
        Py_XDECREF(line);
    }
    s->count = 0;
    let_go(&a);
    return lines;
}

static PyMethodDef methods[] = {
    {"read", read_piece, METH_VARARGS, "One piece of input: see ais_compiled.py."},
    {"close", open_lines, METH_O, "Forgets the open messages; the lines at which each was last heard."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_ais", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__ais(void)
{
    memset(six, 255, sizeof six);
    memset(nibble, 255, sizeof nibble);
    for (int i = 0; i < 40; i++) six[48 + i] = (uint8_t)i;
    for (int i = 40; i < 64; i++) six[56 + i] = (uint8_t)i;
    for (int i = 0; i < 10; i++) nibble['0' + i] = (uint8_t)i;
    for (int i = 10; i < 16; i++) nibble['A' - 10 + i] = nibble['a' - 10 + i] = (uint8_t)i;
    PyObject *module = PyModule_Create(&definition);
    if (module && (PyModule_AddIntConstant(module, "FORM", FORM) ||
                   PyModule_AddIntConstant(module, "STATE_BYTES", sizeof(State))))
        Py_CLEAR(module);
    return module;
}
