/* The quick way to take a presentation apart; `read.py` has the rules and is what is true.

   take_apart(presentation, disclosures_max, disclosure_bytes_max, depth_max, forms) gives the pieces
   of a presentation that is spelt as we spell it, or None: then `read.py` reads it anew and says what
   is wrong with it, or that nothing is. So whatever is odd here (a blank, an escape by number, a long
   integer) is left to the other reader, and no refusal is worded here.

   forms: what the slots of each kind can hold (`forms.py`). A slot that has one is held against it
   where it stands, and no Python value is made of it; claims are checked too. forms=None: all values
   are made, of the payload as well.

   These bytes come from outside. Every reading goes through a `Text`, which knows its end; no length
   found in the bytes is trusted; the one buffer is as long as the presentation, and base64 shrinks.
   Held equal to `read.py` by tests/statements/test_compiled.py. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "needs OpenSSL 3"
#endif

#define FORM 5           /* of what take_apart gives: `read.py` knows one */
#define DIGESTS 32       /* of a statement, decoys included: limits.STATEMENT_SLOTS */
#define DIGEST_CHARS 43  /* of a SHA-256 in base64url */
#define SIGNATURE_CHARS 86
#define KEY_BYTES 32     /* names up to this length are kept for the next use */
#define KEYS 256
#define NO_CHARACTER 0x80000000u
#define MEMBERS 64       /* of an object that is held against a form */
#define SIGNATURE 64     /* bytes */
#define CLAIMS 7         /* that each statement has */

typedef struct {
    uint8_t *at;
    uint8_t *end;
    int depth_max;
} Text;

typedef struct {
    const uint8_t *sorted[DIGESTS];
    uint64_t begins[DIGESTS]; /* their first characters, as numbers of the same order */
    int read;    /* the digests are there */
    int sha256;  /* and are said to be SHA-256 */
} Digests;

typedef struct {
    const uint8_t *begin;
    size_t size;
} Span;

/* A form as `forms.py` writes it, read on from `at`. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} Form;

typedef struct {
    uint64_t all; /* of its digits, as many as are exact */
    size_t count; /* of digits before the point */
    size_t after; /* of digits after it */
    int minus, whole, power;
} Number;

/* The rungs of the ladders of time and place, coarse to fine. */
enum { DAY, HOUR, INSTANT, REGION, AREA, SPOT, POINT, RUNGS };

/* What the disclosures say of them, as long as it is as `ladder.py` makes it of an instant or a point. */
typedef struct {
    Span said[RUNGS]; /* their values where they stand; those that were made have none */
    uint64_t cells[RUNGS];
    double lat, lon;
    int odd_time, odd_place; /* some rung is otherwise, and was made */
} Ladders;

/* What the disclosures say. */
typedef struct {
    PyObject *payload;
    PyObject *form;   /* of the kind: by slot; NULL where all values are made */
    PyObject *values; /* by slot, those that are made */
    PyObject *names[DIGESTS];
    long count;
    Span last; /* slot */
    Ladders ladders;
} Slots;

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static int8_t sextet[256]; /* of a character of base64url; -1 for what is none */
static uint32_t placed[4][256]; /* the same where it stands in a group of four; else NO_CHARACTER */
static uint8_t ordinary[256]; /* whether a character means itself in a JSON text */
static EVP_MD *sha256;
static EVP_MD_CTX *hashing;       /* used with the interpreter's lock held, like `names` */
static PyObject *names[KEYS];     /* texts of keys and slots met before, by their hash */
static PyObject *claims[CLAIMS];  /* their names */
static PyObject *rungs[RUNGS];    /* and those of the rungs */
static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

static PyObject *value(Text *text, int depth);

/* --- base64url */

/* The number of bytes, or -1 where this is not the one spelling of any bytes. */
static Py_ssize_t decode(const uint8_t *in, size_t size, uint8_t *out)
{
    uint8_t *to = out;
    size_t whole = size & ~(size_t)3;
    for (size_t i = 0; i < whole; i += 4) {
        uint32_t bits = placed[0][in[i]] | placed[1][in[i + 1]] | placed[2][in[i + 2]] | placed[3][in[i + 3]];
        if (bits & NO_CHARACTER) return -1;
        *to++ = (uint8_t)(bits >> 16);
        *to++ = (uint8_t)(bits >> 8);
        *to++ = (uint8_t)bits;
    }
    size_t over = size - whole;
    if (over == 1) return -1;
    if (over) {
        int32_t a = sextet[in[whole]], b = sextet[in[whole + 1]], c = over == 3 ? sextet[in[whole + 2]] : 0;
        if ((a | b | c) < 0 || (over == 2 ? b & 15 : c & 3)) return -1; /* spare bits are zero */
        *to++ = (uint8_t)(a << 2 | b >> 4);
        if (over == 3) *to++ = (uint8_t)((b & 15) << 4 | c >> 2);
    }
    return to - out;
}

/* The SHA-256 of some bytes, as the DIGEST_CHARS characters of its base64url. */
static int digest_of(Span from, uint8_t *out)
{
    uint8_t raw[33];
    unsigned int size = 0;
    if (!EVP_DigestInit_ex2(hashing, sha256, NULL) || !EVP_DigestUpdate(hashing, from.begin, from.size) ||
        !EVP_DigestFinal_ex(hashing, raw, &size) || size != 32)
        return 0;
    raw[32] = 0;
    uint8_t text[44];
    for (int i = 0; i < 11; i++) {
        uint32_t bits = (uint32_t)(raw[3 * i] << 16 | raw[3 * i + 1] << 8 | raw[3 * i + 2]);
        text[4 * i] = (uint8_t)ALPHABET[bits >> 18];
        text[4 * i + 1] = (uint8_t)ALPHABET[bits >> 12 & 63];
        text[4 * i + 2] = (uint8_t)ALPHABET[bits >> 6 & 63];
        text[4 * i + 3] = (uint8_t)ALPHABET[bits & 63];
    }
    memcpy(out, text, DIGEST_CHARS);
    return 1;
}

/* --- JSON without blanks. Each gives NULL where it gives up, with or without an error set. */

static int take(Text *text, char wanted)
{
    if (text->at == text->end || *text->at != (uint8_t)wanted) return 0;
    text->at++;
    return 1;
}

static int is_digit(const Text *text)
{
    return text->at < text->end && *text->at >= '0' && *text->at <= '9';
}

/* What stands between two quotes, without an escape; else nothing is taken. */
static int plain(Text *text, Span *found)
{
    uint8_t *at = text->at;
    if (at == text->end || *at++ != '"') return 0;
    while (at < text->end && ordinary[*at]) at++;
    if (at == text->end || *at != '"') return 0;
    *found = (Span){text->at + 1, (size_t)(at - text->at - 1)};
    text->at = at + 1;
    return 1;
}

static int is(Span span, const char *word)
{
    return span.size == strlen(word) && !memcmp(span.begin, word, span.size);
}

static PyObject *text_of(const uint8_t *begin, size_t size)
{
    return PyUnicode_FromStringAndSize((const char *)begin, (Py_ssize_t)size); /* refuses bad UTF-8 */
}

/* A name as a text; the same few come again and again. */
static PyObject *name_of(Span span)
{
    if (span.size > KEY_BYTES) return text_of(span.begin, span.size);
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < span.size; i++) hash = (hash ^ span.begin[i]) * 16777619u;
    PyObject **kept = &names[(hash ^ hash >> 16) % KEYS];
    if (*kept) {
        Py_ssize_t size = 0;
        const char *known = PyUnicode_AsUTF8AndSize(*kept, &size);
        if (known && (size_t)size == span.size && !memcmp(known, span.begin, span.size))
            return Py_NewRef(*kept);
    }
    PyObject *made = text_of(span.begin, span.size);
    if (made) {
        Py_XDECREF(*kept);
        *kept = Py_NewRef(made);
    }
    return made;
}

/* A text that may have escapes; they are undone where they stand, for what they mean is shorter. */
static PyObject *string(Text *text)
{
    Span span;
    if (plain(text, &span)) return text_of(span.begin, span.size);
    if (!take(text, '"')) return NULL;
    uint8_t *begin = text->at, *to = begin;
    for (; text->at < text->end && *text->at >= 0x20; to++) {
        uint8_t c = *text->at++;
        if (c == '"') return text_of(begin, (size_t)(to - begin));
        if (c == '\\') {
            static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
            const char *found = text->at < text->end && *text->at ? strchr(escapes, *text->at) : NULL;
            if (!found) return NULL;
            c = (uint8_t)meant[found - escapes];
            text->at++;
        }
        *to = c;
    }
    return NULL;
}

/* The spelling of a number, and of its digits what is exact. */
static int digits_of(Text *text, Number *found)
{
    *found = (Number){0};
    found->minus = take(text, '-');
    const uint8_t *digits = text->at;
    for (; is_digit(text) && found->count < 19; text->at++, found->count++)
        found->all = found->all * 10 + (uint64_t)(*text->at - '0');
    if (!found->count || found->count > 18 || (found->count > 1 && *digits == '0')) return 0;
    found->whole = text->at == text->end || (*text->at != '.' && (*text->at | 32) != 'e');
    if (take(text, '.')) {
        for (; is_digit(text); text->at++, found->after++)
            if (found->count + found->after < 18) found->all = found->all * 10 + (uint64_t)(*text->at - '0');
        if (!found->after) return 0;
    }
    if (text->at < text->end && (*text->at | 32) == 'e') {
        found->power = 1;
        text->at++;
        if (!take(text, '-')) (void)take(text, '+');
        const uint8_t *power = text->at;
        while (is_digit(text)) text->at++;
        if (text->at == power) return 0;
    }
    return 1;
}

static PyObject *number(Text *text)
{
    const uint8_t *begin = text->at;
    Number read;
    if (!digits_of(text, &read)) return NULL;
    if (read.whole) return PyLong_FromLongLong(read.minus ? -(long long)read.all : (long long)read.all);
    /* both numbers are exact and so the quotient is rounded once (Clinger 1990) */
    if (!read.power && read.count + read.after <= 15) {
        double quotient = (double)read.all / tens[read.after];
        return PyFloat_FromDouble(read.minus ? -quotient : quotient);
    }
    char copy[64], *stop;
    size_t size = (size_t)(text->at - begin);
    if (size >= sizeof copy) return NULL;
    memcpy(copy, begin, size);
    copy[size] = 0;
    double found = PyOS_string_to_double(copy, &stop, NULL);
    if (stop != copy + size || !isfinite(found)) return NULL;
    return PyFloat_FromDouble(found);
}

static PyObject *array(Text *text, int depth)
{
    PyObject *list = PyList_New(0);
    if (!list || !take(text, '[')) goto give_up;
    if (take(text, ']')) return list;
    do {
        PyObject *one = value(text, depth + 1);
        if (!one) goto give_up;
        int failed = PyList_Append(list, one);
        Py_DECREF(one);
        if (failed) goto give_up;
    } while (take(text, ','));
    if (take(text, ']')) return list;
give_up:
    Py_XDECREF(list);
    return NULL;
}

/* The first eight characters as one number, of the order that the characters have. */
static uint64_t begin_of(const uint8_t *at)
{
    uint64_t found = 0;
    for (int i = 0; i < 8; i++) found = found << 8 | at[i];
    return found;
}

/* The digests of a payload: all of them, sorted, none twice. They stay where they were read. */
static int digests_of(Text *text, Digests *digests)
{
    if (digests->read || !take(text, '[')) return 0;
    for (int n = 0; n < DIGESTS; n++) {
        if ((n && !take(text, ',')) || !take(text, '"') || text->end - text->at <= DIGEST_CHARS) return 0;
        const uint8_t *one = digests->sorted[n] = text->at;
        digests->begins[n] = begin_of(one);
        text->at += DIGEST_CHARS;
        int8_t any = 0;
        for (int i = 0; i < DIGEST_CHARS; i++) any |= sextet[one[i]];
        if (any < 0 || !take(text, '"')) return 0;
        if (n && memcmp(digests->sorted[n - 1], one, DIGEST_CHARS) >= 0) return 0;
    }
    return digests->read = take(text, ']');
}

/* An object. `digests` is given for the payload's own, which alone may have any. */
static PyObject *object(Text *text, int depth, Digests *digests)
{
    PyObject *dict = PyDict_New();
    Py_ssize_t count = 0;
    if (!dict || !take(text, '{')) goto give_up;
    if (take(text, '}')) return dict;
    do {
        Span key;
        if (!plain(text, &key) || !take(text, ':')) goto give_up;
        if (is(key, "...")) goto give_up;
        if (is(key, "_sd")) {
            if (!digests || !digests_of(text, digests)) goto give_up;
            continue;
        }
        if (digests && is(key, "_sd_alg")) {
            Span algorithm;
            if (digests->sha256 || !plain(text, &algorithm) || !is(algorithm, "sha-256")) goto give_up;
            digests->sha256 = 1;
            continue;
        }
        PyObject *name = name_of(key), *one = name ? value(text, depth + 1) : NULL;
        int failed = !one || PyDict_SetItem(dict, name, one);
        Py_XDECREF(name);
        Py_XDECREF(one);
        if (failed) goto give_up;
        count++;
    } while (take(text, ','));
    if (take(text, '}') && PyDict_Size(dict) == count) return dict; /* else a key stands twice */
give_up:
    Py_XDECREF(dict);
    return NULL;
}

static int spelt(Text *text, const char *word)
{
    for (; *word; word++)
        if (!take(text, *word)) return 0;
    return 1;
}

static PyObject *word(Text *text, const char *expected, PyObject *meant)
{
    return spelt(text, expected) ? Py_NewRef(meant) : NULL;
}

/* Any value. `depth` is where an array or object that begins here stands. */
static PyObject *value(Text *text, int depth)
{
    switch (text->at < text->end ? *text->at : 0) {
    case '"': return string(text);
    case '{': return depth > text->depth_max ? NULL : object(text, depth, NULL);
    case '[': return depth > text->depth_max ? NULL : array(text, depth);
    case 't': return word(text, "true", Py_True);
    case 'f': return word(text, "false", Py_False);
    case 'n': return word(text, "null", Py_None);
    default: return number(text);
    }
}

/* --- forms: whether a value is what a slot can hold, without making it. 0 also where that is not
   for here to say: the value is made then, and the rules in Python say it. */

static uint32_t figure(Form *form)
{
    if (form->end - form->at < 4) return 0;
    const uint8_t *at = form->at;
    form->at += 4;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int is_ascii(Span span)
{
    uint8_t any = 0;
    for (size_t i = 0; i < span.size; i++) any |= span.begin[i];
    return any < 0x80;
}

/* A text; its length in characters. */
static int length_of(Text *text, size_t *length)
{
    uint8_t *begin = text->at;
    Span span;
    if (plain(text, &span) && is_ascii(span)) {
        *length = span.size;
        return 1;
    }
    text->at = begin;
    PyObject *made = string(text);
    if (!made) return 0;
    *length = (size_t)PyUnicode_GetLength(made);
    Py_DECREF(made);
    return 1;
}

static int number_fits(Text *text, int integer, int any)
{
    uint8_t *begin = text->at;
    Number read;
    if (!digits_of(text, &read)) return 0;
    if (!read.power) return read.whole ? integer || any : any; /* of at most 18 digits: it is finite */
    text->at = begin;
    PyObject *made = number(text);
    Py_XDECREF(made);
    return made && any;
}

/* One of some kinds of scalar. */
static int scalar_fits(Text *text, int kinds)
{
    enum { NONE = 1, BOOLEAN = 2, INTEGER = 4, NUMBER = 8, TEXT = 16 };
    size_t length;
    switch (text->at < text->end ? *text->at : 0) {
    case '"': return kinds & TEXT && length_of(text, &length);
    case 't': return kinds & BOOLEAN && spelt(text, "true");
    case 'f': return kinds & BOOLEAN && spelt(text, "false");
    case 'n': return kinds & NONE && spelt(text, "null");
    default: return number_fits(text, kinds & INTEGER, kinds & NUMBER);
    }
}

static int choice_fits(Text *text, Form form)
{
    Span span;
    if (!plain(text, &span)) return 0;
    while (form.at < form.end) {
        size_t size = *form.at++;
        if ((size_t)(form.end - form.at) < size) return 0;
        if (size == span.size && !memcmp(form.at, span.begin, size)) return 1;
        form.at += size;
    }
    return 0;
}

static int fits(Text *text, Form form, int depth);

static int array_fits(Text *text, Form form, int depth)
{
    size_t min = figure(&form), max = figure(&form), count = 0;
    if (depth > text->depth_max || !take(text, '[')) return 0;
    if (take(text, ']')) return !min;
    do {
        if (++count > max || !fits(text, form, depth + 1)) return 0;
    } while (take(text, ','));
    return count >= min && take(text, ']');
}

/* An object of which each key is of a length, and each value fits. */
static int object_fits(Text *text, Form form, int depth)
{
    size_t min = figure(&form), max = figure(&form), key_min = figure(&form), key_max = figure(&form), count = 0;
    Span keys[MEMBERS];
    if (depth > text->depth_max || !take(text, '{')) return 0;
    if (take(text, '}')) return !min;
    do {
        if (count == max || count == MEMBERS) return 0;
        Span key;
        if (!plain(text, &key) || !is_ascii(key) || !take(text, ':')) return 0;
        if (key.size < key_min || key.size > key_max || is(key, "...") || is(key, "_sd")) return 0;
        for (size_t i = 0; i < count; i++)
            if (keys[i].size == key.size && !memcmp(keys[i].begin, key.begin, key.size)) return 0;
        keys[count++] = key;
        if (!fits(text, form, depth + 1)) return 0;
    } while (take(text, ','));
    return count >= min && take(text, '}');
}

/* `depth` is where an array or object that begins here stands. */
static int fits(Text *text, Form form, int depth)
{
    if (form.at == form.end) return 0;
    switch (*form.at++) {
    case 's': {
        size_t min = figure(&form), max = figure(&form), length;
        return length_of(text, &length) && length >= min && length <= max;
    }
    case 'c': return choice_fits(text, form);
    case 'o': return form.at < form.end && scalar_fits(text, *form.at);
    case 'l': return array_fits(text, form, depth);
    case 'd': return object_fits(text, form, depth);
    default: return 0;
    }
}

/* --- ladders: `ladder.py` has the rules; here is told what is as it makes it, and all else is made */

static const char *const RUNG_NAMES[RUNGS] = {"time.day",   "time.hour",  "time.exact", "place.region",
                                              "place.area", "place.spot", "place.exact"};
static const int RESOLUTIONS[RUNGS] = {0, 0, 0, 3, 5, 7, 0};

static int rung_of(Span slot)
{
    int rung = 0;
    while (rung < RUNGS && !is(slot, RUNG_NAMES[rung])) rung++;
    return rung;
}

/* Two digits as a number, else -1. */
static int pair(const uint8_t *at)
{
    return at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9' ? (at[0] - '0') * 10 + at[1] - '0' : -1;
}

/* A day, hour or second that the calendar has, from the year 1000 on. */
static int time_fits(Span span, int rung)
{
    static const size_t sizes[] = {10, 14, 20};
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const uint8_t *at = span.begin;
    if (span.size != sizes[rung] || at[4] != '-' || at[7] != '-') return 0;
    int century = pair(at), year = pair(at + 2), month = pair(at + 5), day = pair(at + 8);
    if (century < 10 || year < 0 || month < 1 || month > 12 || day < 1) return 0;
    int leap = month == 2 && (year ? year : century) % 4 == 0;
    if (day > days[month - 1] + leap) return 0;
    if (rung == DAY) return 1;
    int hour = pair(at + 11);
    if (at[10] != 'T' || hour < 0 || hour > 23 || at[span.size - 1] != 'Z') return 0;
    if (rung == HOUR) return 1;
    int minute = pair(at + 14), second = pair(at + 17);
    return at[13] == ':' && at[16] == ':' && minute >= 0 && minute < 60 && second >= 0 && second < 60;
}

/* A list of one cell: its number, fifteen hexadecimal digits. */
static int cell_fits(Text *text, uint64_t *cell)
{
    Span span;
    if (!take(text, '[') || !plain(text, &span) || !take(text, ']') || span.size != 15) return 0;
    *cell = 0;
    for (size_t i = 0; i < span.size; i++) {
        uint8_t c = span.begin[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return 0;
        *cell = *cell << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return 1;
}

/* A coordinate that is one exact division, as in `number`. */
static int degrees(Text *text, double most, double *found)
{
    Number read;
    if (!digits_of(text, &read) || read.power || read.count + read.after > 15) return 0;
    if (read.minus && !read.all) return 0;
    *found = (double)read.all / tens[read.after];
    if (*found > most) return 0;
    if (read.minus) *found = -*found;
    return 1;
}

/* The value of a rung; else the reader is where it was. */
static int rung_fits(Text *text, int rung, Ladders *ladders)
{
    uint8_t *begin = text->at;
    Span span;
    int fit;
    if (rung <= INSTANT) fit = plain(text, &span) && time_fits(span, rung);
    else if (rung < POINT) fit = cell_fits(text, &ladders->cells[rung]);
    else
        fit = text->depth_max > 2 && spelt(text, "{\"coordinates\":[") && degrees(text, 180, &ladders->lon) &&
              take(text, ',') && degrees(text, 90, &ladders->lat) && spelt(text, "],\"type\":\"Point\"}");
    if (fit) ladders->said[rung] = (Span){begin, (size_t)(text->at - begin)};
    else text->at = begin;
    return fit;
}

/* Whether each rung of time that there is begins the finer ones; all of them fit. */
static int is_one_time(const Span *said)
{
    const uint8_t *day = said[DAY].begin, *hour = said[HOUR].begin, *instant = said[INSTANT].begin;
    if (hour && instant && memcmp(hour, instant, 14)) return 0; /* with the quote before each */
    const uint8_t *finer = instant ? instant : hour;
    return !day || !finer || !memcmp(day, finer, 11);
}

/* Whether there is a point, and each cell is the one above the finest, in `rung`; RUNGS where there is none. */
static int is_one_place(const Ladders *ladders, int *finest)
{
    if (!ladders->said[POINT].begin) return 0;
    *finest = RUNGS;
    for (int rung = SPOT; rung >= REGION; rung--) {
        if (!ladders->said[rung].begin) continue;
        if (*finest == RUNGS) *finest = rung;
        uint64_t resolution = (uint64_t)RESOLUTIONS[rung];
        uint64_t unused = ((uint64_t)1 << 3 * (15 - resolution)) - 1; /* three bits a digit: `geo.above` */
        uint64_t above = (ladders->cells[*finest] & ~((uint64_t)15 << 52)) | resolution << 52 | unused;
        if (above != ladders->cells[rung]) return 0;
    }
    return 1;
}

/* Make what was passed over of some rungs. */
static int make(const Slots *slots, int from, int to, int depth_max)
{
    for (int rung = from; rung < to; rung++) {
        Span said = slots->ladders.said[rung];
        if (!said.begin) continue;
        Text text = {(uint8_t *)said.begin, (uint8_t *)said.begin + said.size, depth_max};
        PyObject *one = value(&text, 2);
        int done = one && !PyDict_SetItem(slots->values, rungs[rung], one);
        Py_XDECREF(one);
        if (!done) return 0;
    }
    return 1;
}

/* What is left to check of the ladders: of a point and its cells (lat, lon, resolution, the number of the
   finest cell), else None. The rungs of a ladder of which something is otherwise are made. */
static PyObject *settled(const Slots *slots, int depth_max)
{
    const Ladders *ladders = &slots->ladders;
    int finest = RUNGS;
    if ((ladders->odd_time || !is_one_time(ladders->said)) && !make(slots, DAY, REGION, depth_max)) return NULL;
    if (ladders->odd_place || !is_one_place(ladders, &finest)) {
        if (!make(slots, REGION, RUNGS, depth_max)) return NULL;
        finest = RUNGS;
    }
    if (finest == RUNGS) return Py_NewRef(Py_None);
    return Py_BuildValue("ddiK", ladders->lat, ladders->lon, RESOLUTIONS[finest],
                         (unsigned long long)ladders->cells[finest]);
}

/* --- disclosures */

static int within(uint8_t c, int first)
{
    return (c >= 'a' && c <= 'z') || (!first && ((c >= '0' && c <= '9') || c == '_'));
}

/* Whether it has a slot's form: [a-z][a-z0-9_]{0,30}(\.[a-z0-9_]{1,41})? */
static int is_slot(Span span)
{
    size_t i = 0;
    while (i < span.size && i < 31 && within(span.begin[i], i == 0)) i++;
    if (!i || i == span.size) return i == span.size && i;
    if (span.begin[i] != '.' || span.size - i < 2 || span.size - i > 42) return 0;
    while (++i < span.size)
        if (!within(span.begin[i], 0)) return 0;
    return 1;
}

/* Whether a slot stands after the one before it, by name. */
static int is_next(const Slots *slots, Span slot)
{
    size_t common = slot.size < slots->last.size ? slot.size : slots->last.size;
    int order = slots->count ? memcmp(slots->last.begin, slot.begin, common) : -1;
    return order < 0 || (!order && slots->last.size < slot.size);
}

/* The value of a slot: held against the form that there is for it, else made. */
static int content(Text *text, Slots *slots, PyObject *name, Span slot)
{
    PyObject *form = slots->form ? PyDict_GetItemWithError(slots->form, name) : NULL;
    if (slots->form && PyDict_GetItemWithError(slots->payload, name)) return 0; /* a claim has this name */
    if (form) {
        if (!PyBytes_Check(form)) return 0;
        const uint8_t *begin = (const uint8_t *)PyBytes_AsString(form);
        return fits(text, (Form){begin, begin + PyBytes_Size(form)}, 2);
    }
    int rung = slots->form ? rung_of(slot) : RUNGS;
    if (rung < RUNGS) {
        if (rung_fits(text, rung, &slots->ladders)) return 1;
        *(rung <= INSTANT ? &slots->ladders.odd_time : &slots->ladders.odd_place) = 1;
    }
    PyObject *one = value(text, 2);
    int done = one && !PyDict_SetItem(slots->values, name, one);
    Py_XDECREF(one);
    return done;
}

/* One disclosure, `["salt","slot",value]` in base64url, of which the digest was signed. */
static int disclosure(Span part, const Digests *digests, Text *text, Slots *slots)
{
    uint8_t digest[DIGEST_CHARS];
    if (!digest_of(part, digest)) return 0;
    uint64_t begin = begin_of(digest);
    int at = 0; /* of the last that does not begin with more */
    for (int half = DIGESTS / 2; half; half /= 2) at += half * (digests->begins[at + half] <= begin);
    if (memcmp(digest, digests->sorted[at], DIGEST_CHARS)) return 0;
    Py_ssize_t size = decode(part.begin, part.size, text->at);
    if (size < 0) return 0;
    text->end = text->at + size;
    Span salt, slot;
    if (!take(text, '[') || !plain(text, &salt) || !take(text, ',') || !is_ascii(salt)) return 0;
    if (!plain(text, &slot) || !is_slot(slot) || !take(text, ',')) return 0;
    if (slots->form && !is_next(slots, slot)) return 0;
    PyObject *name = name_of(slot);
    if (!name) return 0;
    slots->names[slots->count++] = name;
    slots->last = slot; /* it stays where it is: what follows is decoded after it */
    return content(text, slots, name, slot) && take(text, ']') && text->at == text->end;
}

/* All disclosures; `from` is what stands after the signed part's own `~`. */
static int disclosures_of(Span from, const Digests *digests, Text scratch, long bytes_max, Slots *slots)
{
    const uint8_t *at = from.begin, *end = from.begin + from.size;
    while (at < end) {
        const uint8_t *stop = memchr(at, '~', (size_t)(end - at));
        if (!stop || slots->count == DIGESTS || stop - at > bytes_max) return 0;
        if (!disclosure((Span){at, (size_t)(stop - at)}, digests, &scratch, slots)) return 0;
        at = stop + 1;
    }
    return slots->form || PyDict_Size(slots->values) == slots->count; /* else a slot is disclosed twice */
}

/* The names of the slots in their order. */
static PyObject *names_of(const Slots *slots)
{
    PyObject *made = PyTuple_New(slots->count);
    for (long i = 0; made && i < slots->count; i++)
        if (PyTuple_SetItem(made, i, Py_NewRef(slots->names[i]))) Py_CLEAR(made);
    return made;
}

/* --- claims: those that each statement has and no others, as they nearly always are */

static const char *const CLAIM_NAMES[CLAIMS] = {"iss", "jti", "ver", "kind", "marking", "onward", "exercise"};

/* The text of an object, or nothing. */
static Span span_of(PyObject *text)
{
    Py_ssize_t size = 0;
    const char *begin = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    return (Span){(const uint8_t *)begin, begin ? (size_t)size : 0};
}

static int is_one_of(Span span, const char *const *words)
{
    for (; *words; words++)
        if (is(span, *words)) return 1;
    return 0;
}

/* [a-z][a-z0-9-]{0,30} */
static int is_node(Span span)
{
    if (!span.size || span.size > 31 || span.begin[0] == '-') return 0;
    for (size_t i = 0; i < span.size; i++)
        if (span.begin[i] != '-' && (span.begin[i] == '_' || !within(span.begin[i], i == 0))) return 0;
    return 1;
}

/* A UUID in lower case. */
static int is_id(Span span)
{
    if (span.size != 36) return 0;
    for (size_t i = 0; i < 36; i++) {
        uint8_t c = span.begin[i];
        if (i == 8 || i == 13 || i == 18 || i == 23 ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return 0;
    }
    return 1;
}

/* What a payload says in clear, in the order of CLAIM_NAMES, where it says that and no more. Its kind
   has a form, so it is one that we know. */
static PyObject *claims_of(PyObject *payload)
{
    static const char *const markings[] = {"TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED", NULL};
    static const char *const onwards[] = {"no", "ask", "circle", "free", NULL};
    PyObject *said[CLAIMS];
    if (PyDict_Size(payload) != CLAIMS) return NULL;
    for (int i = 0; i < CLAIMS; i++)
        if (!(said[i] = PyDict_GetItemWithError(payload, claims[i]))) return NULL;
    int over; /* where it is set, the number is -1 */
    long version = PyLong_CheckExact(said[2]) ? PyLong_AsLongAndOverflow(said[2], &over) : 0;
    if (!is_node(span_of(said[0])) || !is_id(span_of(said[1])) || version < 1 || version > INT32_MAX ||
        !is_one_of(span_of(said[4]), markings) || !is_one_of(span_of(said[5]), onwards) || !PyBool_Check(said[6]))
        return NULL;
    return Py_BuildValue("OOOOOOO", said[0], said[1], said[2], said[3], said[4], said[5], said[6]);
}

/* --- the whole */

static PyObject *bytes_of(const uint8_t *begin, const uint8_t *end)
{
    return PyBytes_FromStringAndSize((const char *)begin, end - begin);
}

/* A signature and what it is over, as libsodium wants them. */
static PyObject *sealed(const uint8_t *signature, Span over)
{
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(SIGNATURE + over.size));
    if (!made) return NULL;
    memcpy(PyBytes_AsString(made), signature, SIGNATURE);
    memcpy(PyBytes_AsString(made) + SIGNATURE, over.begin, over.size);
    return made;
}

static PyObject *pieces(Span all, uint8_t *scratch, long bytes_max, int depth_max, PyObject *forms)
{
    const uint8_t *stop = memchr(all.begin, '~', all.size);
    const uint8_t *dot = stop ? memchr(all.begin, '.', (size_t)(stop - all.begin)) : NULL;
    const uint8_t *signed_end = dot ? memchr(dot + 1, '.', (size_t)(stop - dot - 1)) : NULL;
    uint8_t signature[SIGNATURE]; /* a third dot would be no base64url */
    if (!signed_end || stop - signed_end - 1 != SIGNATURE_CHARS ||
        decode(signed_end + 1, SIGNATURE_CHARS, signature) != sizeof signature)
        return NULL;
    Py_ssize_t size = decode(dot + 1, (size_t)(signed_end - dot - 1), scratch);
    if (size < 0) return NULL;
    Text text = {scratch, scratch + size, depth_max};
    Text rest = {scratch + size, scratch + size, depth_max}; /* for the disclosures, one after the other */
    Span disclosed = {stop + 1, (size_t)(all.begin + all.size - stop - 1)};
    Digests digests = {0};
    Slots slots = {0};
    PyObject *found = NULL, *said = NULL, *kind = NULL, *place = NULL;
    slots.payload = object(&text, 1, &digests);
    slots.values = PyDict_New();
    if (!slots.payload || !slots.values || text.at != text.end || !digests.read || !digests.sha256) goto done;
    if (forms) {
        kind = PyDict_GetItemWithError(slots.payload, claims[3]);
        slots.form = kind && PyUnicode_Check(kind) ? PyDict_GetItemWithError(forms, kind) : NULL;
        said = slots.form ? claims_of(slots.payload) : NULL;
        if (!said) goto done;
    }
    if (disclosures_of(disclosed, &digests, rest, bytes_max, &slots) && (place = settled(&slots, depth_max)))
        found = Py_BuildValue("NNNOONN",bytes_of(all.begin, dot),
                              sealed(signature, (Span){all.begin, (size_t)(signed_end - all.begin)}),
                              bytes_of(all.begin, stop), said ? said : slots.payload, slots.values,
                              said ? names_of(&slots) : Py_NewRef(Py_None), place);
done:
    for (long i = 0; i < slots.count; i++) Py_DECREF(slots.names[i]);
    Py_XDECREF(said);
    Py_XDECREF(slots.payload);
    Py_XDECREF(slots.values);
    return found;
}

static PyObject *take_apart(PyObject *module, PyObject *args)
{
    (void)module;
    char *data;
    PyObject *presentation, *forms;
    Py_ssize_t size;
    long count_max, bytes_max;
    int depth_max;
    if (!PyArg_ParseTuple(args, "O!lliO", &PyBytes_Type, &presentation, &count_max, &bytes_max, &depth_max,
                          &forms) ||
        PyBytes_AsStringAndSize(presentation, &data, &size))
        return NULL;
    if (count_max != DIGESTS) Py_RETURN_NONE; /* the limit was changed, and this was not */
    uint8_t *scratch = PyMem_Malloc((size_t)size + 1);
    if (!scratch) return PyErr_NoMemory();
    Span all = {(const uint8_t *)data, (size_t)size};
    PyObject *found = pieces(all, scratch, bytes_max, depth_max, PyDict_Check(forms) ? forms : NULL);
    PyMem_Free(scratch);
    if (found) return found;
    if (PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_MemoryError)) return NULL;
        PyErr_Clear(); /* bad UTF-8, most likely: the other reader says so */
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"take_apart", take_apart, METH_VARARGS, "The pieces of a presentation, or None: see _read.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_read", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__read(void)
{
    memset(sextet, -1, sizeof sextet);
    for (int i = 0; i < 64; i++) sextet[(uint8_t)ALPHABET[i]] = (int8_t)i;
    for (int i = 0; i < 256; i++)
        for (int place = 0; place < 4; place++)
            placed[place][i] = sextet[i] < 0 ? NO_CHARACTER : (uint32_t)sextet[i] << (18 - 6 * place);
    for (int i = 0; i < 256; i++) ordinary[i] = i >= 0x20 && i != '"' && i != '\\';
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hashing = EVP_MD_CTX_new();
    if (!sha256 || !hashing) {
        PyErr_SetString(PyExc_ImportError, "OpenSSL has no SHA-256");
        return NULL;
    }
    for (int i = 0; i < CLAIMS; i++)
        if (!(claims[i] = PyUnicode_InternFromString(CLAIM_NAMES[i]))) return NULL;
    for (int i = 0; i < RUNGS; i++)
        if (!(rungs[i] = PyUnicode_InternFromString(RUNG_NAMES[i]))) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddIntConstant(module, "FORM", FORM)) Py_CLEAR(module);
    return module;
}
