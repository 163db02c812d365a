/* Four messages in the four lanes of 256-bit registers: the arithmetic is that of the standard,
 * each word of it a vector with the same word of every message. */
#include "cmd/archive/sha2x4.h"

enum { BLOCK512 = 128 };

#if defined(__x86_64__)

/* FIPS 180-4, 4.2.3 */
static const uint64_t constants512[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

typedef uint64_t lanes __attribute__((vector_size(8 * BAG_SEATS)));
typedef uint8_t octets __attribute__((vector_size(8 * BAG_SEATS)));

#define AVX2         __attribute__((target("avx2")))
#define INLINE       static inline __attribute__((always_inline))
#define ROTATE(x, n) ((x) >> (n) | (x) << (64 - (n)))

/* Four words of one message, which stand there with their highest byte first. */
AVX2 INLINE lanes words_at(const uint8_t *p)
{
    octets b;

    memcpy(&b, p, sizeof(b));
    return (lanes)__builtin_shufflevector(b, b, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9,
                                          8, 23, 22, 21, 20, 19, 18, 17, 16, 31, 30, 29, 28, 27, 26,
                                          25, 24);
}

/* From four words of each message to four vectors with one word of each. */
AVX2 INLINE void load512(lanes to[4], const uint8_t *const from[BAG_SEATS], size_t offset)
{
    lanes a = words_at(from[0] + offset), b = words_at(from[1] + offset);
    lanes c = words_at(from[2] + offset), d = words_at(from[3] + offset);
    lanes ab02 = __builtin_shufflevector(a, b, 0, 4, 2, 6);
    lanes ab13 = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    lanes cd02 = __builtin_shufflevector(c, d, 0, 4, 2, 6);
    lanes cd13 = __builtin_shufflevector(c, d, 1, 5, 3, 7);

    to[0] = __builtin_shufflevector(ab02, cd02, 0, 1, 4, 5);
    to[1] = __builtin_shufflevector(ab13, cd13, 0, 1, 4, 5);
    to[2] = __builtin_shufflevector(ab02, cd02, 2, 3, 6, 7);
    to[3] = __builtin_shufflevector(ab13, cd13, 2, 3, 6, 7);
}

AVX2 INLINE lanes rotate8(lanes x)
{
    octets b = (octets)x;

    return (lanes)__builtin_shufflevector(b, b, 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15,
                                          8, 17, 18, 19, 20, 21, 22, 23, 16, 25, 26, 27, 28, 29, 30,
                                          31, 24);
}

/* The next word of the schedule takes the place of the one that was used (6.4.2, step 1). */
AVX2 INLINE void schedule512(lanes w[16], int i)
{
    lanes x = w[(i + 1) & 15], y = w[(i + 14) & 15];

    w[i] += (ROTATE(x, 1) ^ rotate8(x) ^ x >> 7) + w[(i + 9) & 15] +
            (ROTATE(y, 19) ^ ROTATE(y, 61) ^ y >> 6);
}

/* The last sixteen steps have no words to make ready. */
AVX2 INLINE void no_schedule(lanes w[16], int i)
{
    (void)w;
    (void)i;
}

/* A step of 6.4.2, step 3. Its variables keep their places, and the callers' letters move on. */
/* NOLINTBEGIN(bugprone-macro-parentheses): what is given are names of variables. */
#define STEP(a, b, c, d, e, f, g, h, i, schedule)                                                  \
    do {                                                                                           \
        lanes t = h + (ROTATE(e, 14) ^ ROTATE(e, 18) ^ ROTATE(e, 41)) + (g ^ (e & (f ^ g))) +      \
                  constants512[round + (i)] + w[i];                                                \
        d += t;                                                                                    \
        h = t + (ROTATE(a, 28) ^ ROTATE(a, 34) ^ ROTATE(a, 39)) + ((a & b) | (c & (a | b)));       \
        schedule(w, i);                                                                            \
    } while (0)
/* NOLINTEND(bugprone-macro-parentheses) */

#define EIGHT_STEPS(i, schedule)                                                                   \
    STEP(a, b, c, d, e, f, g, h, i, schedule);                                                     \
    STEP(h, a, b, c, d, e, f, g, (i) + 1, schedule);                                               \
    STEP(g, h, a, b, c, d, e, f, (i) + 2, schedule);                                               \
    STEP(f, g, h, a, b, c, d, e, (i) + 3, schedule);                                               \
    STEP(e, f, g, h, a, b, c, d, (i) + 4, schedule);                                               \
    STEP(d, e, f, g, h, a, b, c, (i) + 5, schedule);                                               \
    STEP(c, d, e, f, g, h, a, b, (i) + 6, schedule);                                               \
    STEP(b, c, d, e, f, g, h, a, (i) + 7, schedule)

/* So many blocks of each message. */
AVX2 static void compress512(uint64_t state[BAG_SHA2_WORDS][BAG_SEATS],
                             const uint8_t *const from[BAG_SEATS], size_t blocks)
{
    lanes s[BAG_SHA2_WORDS], w[16];

    memcpy(s, state, sizeof(s));
    for (size_t at = 0; at < blocks * BLOCK512; at += BLOCK512) {
        lanes a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
        int round = 0;

        for (size_t i = 0; i < 16; i += 4)
            load512(w + i, from, at + 8 * i);
        for (; round < 64; round += 16) {
            EIGHT_STEPS(0, schedule512);
            EIGHT_STEPS(8, schedule512);
        }
        EIGHT_STEPS(0, no_schedule);
        EIGHT_STEPS(8, no_schedule);
        s[0] += a;
        s[1] += b;
        s[2] += c;
        s[3] += d;
        s[4] += e;
        s[5] += f;
        s[6] += g;
        s[7] += h;
    }
    memcpy(state, s, sizeof(s));
}

static bool able512(void)
{
    return __builtin_cpu_supports("avx2");
}

const bag_sha2x4 bag_sha512x4 = {
    .word = 8,
    .first = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
              0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179},
    .able = able512,
    .compress = compress512,
};

#else

/* ARM's processors have instructions of their own, which libcrypto uses. */
const bag_sha2x4 bag_sha512x4 = {0};

#endif
