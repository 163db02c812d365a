/* Scanning for the stops of strings. Each way makes masks of 64 bytes, a bit for each byte; what
 * becomes of the masks is the same for all.
 *
 * Compared with sign, what is below 0x20 takes in what is above 0x7f: so three comparisons tell
 * whether a block holds anything but quotes. What it is exactly is looked for where it does. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-slp-vectorize") /* it packs what is better left in registers */
#endif

#include "common/json/scan.h"

#include <pthread.h>
#include <stdlib.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define HAVE_X86 1
#include <immintrin.h>
#endif
#if defined(__aarch64__)
#define HAVE_NEON 1
#include <arm_neon.h>
#endif

/* ---- what becomes of the masks ---- */

/* Sets each bit where an odd number of bits is set up to it. */
INLINE uint64_t toggle(uint64_t m)
{
    for (int by = 1; by < 64; by *= 2)
        m ^= m << by;
    return m;
}

/* The characters that a backslash takes the meaning of: each backslash goes with what follows. */
static uint64_t find_escaped(uint64_t slash, bool *carry)
{
    uint64_t escaped = *carry;
    slash &= ~escaped;
    *carry = false;
    while (slash) {
        uint64_t first = slash & -slash;
        escaped |= first << 1;
        *carry = first >> 63;
        slash &= ~(first | first << 1);
    }
    return escaped;
}

/* Of each run of bytes beyond ASCII its first; `*carry` is set where the block before ended in
 * one. */
static uint64_t first_of_runs(uint64_t high, bool *carry)
{
    uint64_t later = high << 1 | *carry;
    *carry = high >> 63;
    return high & ~later;
}

/* Writes eight offsets at a time, needed or not: how many bits a mask has is what a processor
 * cannot foresee. The last bit keeps an empty mask from being asked for its first. */
INLINE uint32_t *enter_by_eight(uint32_t *to, uint32_t base, uint64_t mask)
{
    const uint64_t guard = UINT64_C(1) << 63;
    int n = __builtin_popcountll(mask), done = 0;
    do {
#define ENTER_ONE(i)                                                                               \
    to[done + (i)] = base + (uint32_t)__builtin_ctzll(mask | guard);                               \
    mask &= mask - 1
        ENTER_ONE(0);
        ENTER_ONE(1);
        ENTER_ONE(2);
        ENTER_ONE(3);
        ENTER_ONE(4);
        ENTER_ONE(5);
        ENTER_ONE(6);
        ENTER_ONE(7);
#undef ENTER_ONE
        done += 8;
    } while (done < n);
    return to + n;
}

/* The scan by one way, which has
 *
 *     NAME_look(p, &quote, &special)       special: backslash, control or beyond ASCII
 *     NAME_look_closer(p, &slash, &high)
 *     NAME_toggle(mask)
 *     NAME_enter(put, from, mask)          returns where the next offset goes
 *
 * The last block is read from a copy that blanks fill up. */
#define SCAN_BY(name)                                                                              \
    bool high_before = from && (uint8_t)text[from - 1] >= 0x80;                                    \
    ct_scan now = *state;                                                                          \
    uint32_t *put = stops;                                                                         \
    for (; from < to; from += CT_SCAN_BLOCK) {                                                     \
        char last[CT_SCAN_BLOCK];                                                                  \
        const char *p = text + from;                                                               \
        uint64_t quote, special;                                                                   \
        if (to - from < CT_SCAN_BLOCK) {                                                           \
            memset(last, ' ', sizeof last);                                                        \
            p = memcpy(last, p, to - from);                                                        \
        }                                                                                          \
        __builtin_prefetch(text + from + 4096);                                                    \
        name##_look(p, &quote, &special);                                                          \
        if (special || now.escaped) {                                                              \
            uint64_t slash, high;                                                                  \
            name##_look_closer(p, &slash, &high);                                                  \
            quote &= ~find_escaped(slash, &now.escaped);                                           \
            special = (special & ~high) | first_of_runs(high, &high_before);                       \
        } else {                                                                                   \
            high_before = false;                                                                   \
        }                                                                                          \
        uint64_t inside = name##_toggle(quote) ^ now.inside;                                       \
        now.inside = 0 - (inside >> 63);                                                           \
        put = name##_enter(put, (uint32_t)from, (quote & ~inside) | special);                      \
    }                                                                                              \
    *state = now;                                                                                  \
    return (size_t)(put - stops)

/* ---- portable: eight bytes in a word ---- */

/* The top bits of the bytes as a number, the first byte's lowest. */
INLINE uint64_t gather_tops(uint64_t tops)
{
    return (tops >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* Top bits where a byte is zero; exact, as no carry leaves its byte. */
INLINE uint64_t zero_bytes(uint64_t w)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    return ~(((w & low) + low) | w | low);
}

INLINE uint64_t word_at(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

#define EACH(c) (UINT64_C(0x0101010101010101) * (c))

INLINE void portable_look(const char *p, uint64_t *quote, uint64_t *special)
{
    *quote = *special = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t w = word_at(p + 8 * i);
        /* A byte below 0x20 has none of its three high bits. */
        uint64_t stop = zero_bytes(w ^ EACH('\\')) | zero_bytes(w & EACH(0xe0)) | (w & EACH(0x80));
        *quote |= gather_tops(zero_bytes(w ^ EACH('"'))) << 8 * i;
        *special |= gather_tops(stop) << 8 * i;
    }
}

INLINE void portable_look_closer(const char *p, uint64_t *slash, uint64_t *high)
{
    *slash = *high = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t w = word_at(p + 8 * i);
        *slash |= gather_tops(zero_bytes(w ^ EACH('\\'))) << 8 * i;
        *high |= gather_tops(w & EACH(0x80)) << 8 * i;
    }
}

#define portable_toggle toggle
#define portable_enter  enter_by_eight

static size_t scan_portable(ct_scan *state, const char *text, size_t from, size_t to,
                            uint32_t *stops)
{
    SCAN_BY(portable);
}

static bool always(void)
{
    return true;
}

/* ---- x86-64 ---- */

#ifdef HAVE_X86

INLINE __m128i sse2_at(const char *p, int i)
{
    return _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
}

INLINE uint64_t sse2_bits(__m128i m, int i)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(m) << 16 * i;
}

INLINE void sse2_look(const char *p, uint64_t *quote, uint64_t *special)
{
    *quote = *special = 0;
    for (int i = 0; i < 4; i++) {
        __m128i c = sse2_at(p, i);
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('\\')),
                                    _mm_cmplt_epi8(c, _mm_set1_epi8(0x20)));
        *quote |= sse2_bits(_mm_cmpeq_epi8(c, _mm_set1_epi8('"')), i);
        *special |= sse2_bits(stop, i);
    }
}

INLINE void sse2_look_closer(const char *p, uint64_t *slash, uint64_t *high)
{
    *slash = *high = 0;
    for (int i = 0; i < 4; i++) {
        *slash |= sse2_bits(_mm_cmpeq_epi8(sse2_at(p, i), _mm_set1_epi8('\\')), i);
        *high |= sse2_bits(sse2_at(p, i), i);
    }
}

#define sse2_toggle toggle
#define sse2_enter  enter_by_eight

static size_t scan_sse2(ct_scan *state, const char *text, size_t from, size_t to, uint32_t *stops)
{
    SCAN_BY(sse2);
}

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))

AVX2 INLINE __m256i avx2_at(const char *p, int i)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));
}

AVX2 INLINE uint64_t avx2_bits(__m256i m, int i)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(m) << 32 * i;
}

AVX2 INLINE void avx2_look(const char *p, uint64_t *quote, uint64_t *special)
{
    *quote = *special = 0;
    for (int i = 0; i < 2; i++) {
        __m256i c = avx2_at(p, i);
        __m256i stop = _mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('\\')),
                                       _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), c));
        *quote |= avx2_bits(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('"')), i);
        *special |= avx2_bits(stop, i);
    }
}

AVX2 INLINE void avx2_look_closer(const char *p, uint64_t *slash, uint64_t *high)
{
    *slash = *high = 0;
    for (int i = 0; i < 2; i++) {
        *slash |= avx2_bits(_mm256_cmpeq_epi8(avx2_at(p, i), _mm256_set1_epi8('\\')), i);
        *high |= avx2_bits(avx2_at(p, i), i);
    }
}

/* A product without carries, by a number of ones only, toggles at each bit. */
AVX2 INLINE uint64_t avx2_toggle(uint64_t m)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)m), _mm_set1_epi8((char)0xff), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

#define avx2_enter enter_by_eight

AVX2 static size_t scan_avx2(ct_scan *state, const char *text, size_t from, size_t to,
                             uint32_t *stops)
{
    SCAN_BY(avx2);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("pclmul");
}

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt,pclmul")))

AVX512 INLINE void avx512_look(const char *p, uint64_t *quote, uint64_t *special)
{
    __m512i c = _mm512_loadu_si512(p);
    *quote = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8('"'));
    *special = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8('\\')) |
               _mm512_cmplt_epi8_mask(c, _mm512_set1_epi8(0x20));
}

AVX512 INLINE void avx512_look_closer(const char *p, uint64_t *slash, uint64_t *high)
{
    __m512i c = _mm512_loadu_si512(p);
    *slash = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8('\\'));
    *high = (uint64_t)_mm512_movepi8_mask(c);
}

AVX512 INLINE uint64_t avx512_toggle(uint64_t m)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)m), _mm_set1_epi8((char)0xff), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* The numbers 0 to 63 of which the mask leaves some, sixteen of them at a time. */
AVX512 INLINE uint32_t *avx512_enter(uint32_t *to, uint32_t base, uint64_t mask)
{
    static const uint8_t numbers[CT_SCAN_BLOCK] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    int n = __builtin_popcountll(mask), done = 0;
    uint8_t left[CT_SCAN_BLOCK + 16];
    __m512i bytes = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(numbers));
    __m128i few = _mm512_castsi512_si128(bytes);
    if (n > 16)
        _mm512_storeu_si512(left, bytes);
    do {
        __m512i at = _mm512_add_epi32(_mm512_cvtepu8_epi32(few), _mm512_set1_epi32((int)base));
        _mm512_storeu_si512(to + done, at);
        done += 16;
        if (done < n)
            few = _mm_loadu_si128((const __m128i *)(const void *)(left + done));
    } while (done < n);
    return to + n;
}

AVX512 static size_t scan_avx512(ct_scan *state, const char *text, size_t from, size_t to,
                                 uint32_t *stops)
{
    SCAN_BY(avx512);
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vbmi2");
}

#endif

/* ---- 64-bit ARM ---- */

#ifdef HAVE_NEON

/* NEON has no movemask: each byte of four masks keeps the bit of its place in its eight, and
 * pairwise additions bring them together. */
INLINE uint64_t neon_bits(const uint8x16_t m[4])
{
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bit = vld1q_u8(places);
    uint8x16_t low = vpaddq_u8(vandq_u8(m[0], bit), vandq_u8(m[1], bit));
    uint8x16_t top = vpaddq_u8(vandq_u8(m[2], bit), vandq_u8(m[3], bit));
    low = vpaddq_u8(low, top);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(low, low)), 0);
}

INLINE uint8x16_t neon_at(const char *p, int i)
{
    return vld1q_u8((const uint8_t *)p + 16 * i);
}

INLINE void neon_look(const char *p, uint64_t *quote, uint64_t *special)
{
    uint8x16_t quotes[4], stops[4];
    for (int i = 0; i < 4; i++) {
        uint8x16_t c = neon_at(p, i);
        quotes[i] = vceqq_u8(c, vdupq_n_u8('"'));
        stops[i] = vorrq_u8(vceqq_u8(c, vdupq_n_u8('\\')),
                            vcltq_s8(vreinterpretq_s8_u8(c), vdupq_n_s8(0x20)));
    }
    *quote = neon_bits(quotes);
    *special = neon_bits(stops);
}

INLINE void neon_look_closer(const char *p, uint64_t *slash, uint64_t *high)
{
    uint8x16_t slashes[4], highs[4];
    for (int i = 0; i < 4; i++) {
        slashes[i] = vceqq_u8(neon_at(p, i), vdupq_n_u8('\\'));
        highs[i] = vcgeq_u8(neon_at(p, i), vdupq_n_u8(0x80));
    }
    *slash = neon_bits(slashes);
    *high = neon_bits(highs);
}

#define neon_toggle toggle
#define neon_enter  enter_by_eight

static size_t scan_neon(ct_scan *state, const char *text, size_t from, size_t to, uint32_t *stops)
{
    SCAN_BY(neon);
}

#endif

/* ---- which way ---- */

const ct_scan_way ct_scan_ways[] = {
#ifdef HAVE_X86
    {"avx512", scan_avx512, has_avx512}, {"avx2", scan_avx2, has_avx2},
    {"sse2", scan_sse2, always},
#endif
#ifdef HAVE_NEON
    {"neon", scan_neon, always},
#endif
    {"portable", scan_portable, always}, {0},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static ct_scan_fn *best;

static void choose(void)
{
    const char *asked = getenv("CHART_SIMD");
    for (const ct_scan_way *w = ct_scan_ways; w->name; w++)
        if (w->there() && (!best || (asked && strcmp(asked, w->name) == 0)))
            best = w->scan;
}

ct_scan_fn *ct_scan_best(void)
{
    pthread_once(&once, choose);
    return best;
}
