/* Four messages by the SHA instructions of x86, in turn: what one has to wait for, the others do
 * not.
 */
#include "cmd/archive/sha2x4.h"

enum { BLOCK256 = 64 };

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

/* FIPS 180-4, 4.2.2 */
static const uint32_t constants256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define SHA    __attribute__((target("sha,avx")))
#define INLINE static inline __attribute__((always_inline))

/* A message's variables as the instructions want them: a, b, e, f and c, d, g, h. */
typedef struct message {
    __m128i abef, cdgh;
    __m128i w[4]; /* sixteen words of the schedule */
} message;

SHA INLINE __m128i four(const uint64_t state[BAG_SHA2_WORDS][BAG_SEATS], int seat, int a, int b,
                        int c, int d)
{
    return _mm_set_epi32((int)state[a][seat], (int)state[b][seat], (int)state[c][seat],
                         (int)state[d][seat]);
}

SHA INLINE void put_four(uint64_t state[BAG_SHA2_WORDS][BAG_SEATS], int seat, __m128i v, int a,
                         int b, int c, int d)
{
    state[a][seat] = (uint32_t)_mm_extract_epi32(v, 3);
    state[b][seat] = (uint32_t)_mm_extract_epi32(v, 2);
    state[c][seat] = (uint32_t)_mm_extract_epi32(v, 1);
    state[d][seat] = (uint32_t)_mm_extract_epi32(v, 0);
}

/* Words stand there with their highest byte first. */
SHA INLINE void load256(message *l, const uint8_t *p)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

    for (int i = 0; i < 4; i++)
        l->w[i] =
            _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), swap);
}

/* Four steps of 6.2.2, step 3, from step 4 * n on, and the words for those that come sixteen later.
 */
SHA INLINE void four_steps(message *l, int n)
{
    __m128i *now = &l->w[n & 3], next = l->w[(n + 1) & 3], last = l->w[(n + 3) & 3], t;

    t = _mm_add_epi32(*now, _mm_loadu_si128((const __m128i *)(const void *)(constants256 + 4 * n)));
    l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, t);
    l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(t, 0x0e));
    if (n >= 12)
        return;
    t = _mm_alignr_epi8(last, l->w[(n + 2) & 3], 4);
    *now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*now, next), t), last);
}

/* A block of each of two messages: they keep the SHA unit busy, and four would not fit into the
 * registers. */
SHA INLINE void two_blocks(message m[2], const uint8_t *const from[2], size_t at)
{
    const message before[2] = {m[0], m[1]};

    for (int s = 0; s < 2; s++)
        load256(&m[s], from[s] + at);
#pragma GCC unroll 16
    for (int n = 0; n < 16; n++) {
        four_steps(&m[0], n);
        four_steps(&m[1], n);
    }
    for (int s = 0; s < 2; s++) {
        m[s].abef = _mm_add_epi32(m[s].abef, before[s].abef);
        m[s].cdgh = _mm_add_epi32(m[s].cdgh, before[s].cdgh);
    }
}

SHA static void compress256(uint64_t state[BAG_SHA2_WORDS][BAG_SEATS],
                            const uint8_t *const from[BAG_SEATS], size_t blocks)
{
    message m[BAG_SEATS];

    for (int s = 0; s < BAG_SEATS; s++) {
        m[s].abef = four(state, s, 0, 1, 4, 5);
        m[s].cdgh = four(state, s, 2, 3, 6, 7);
    }
    for (size_t at = 0; at < blocks * BLOCK256; at += BLOCK256) {
        two_blocks(m, from, at);
        two_blocks(m + 2, from + 2, at);
    }
    for (int s = 0; s < BAG_SEATS; s++) {
        put_four(state, s, m[s].abef, 0, 1, 4, 5);
        put_four(state, s, m[s].cdgh, 2, 3, 6, 7);
    }
}

/* GCC's own word for the SHA instructions is younger than GCC 12: CPUID says it, leaf 7, bit 29. */
static bool able256(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1U << 29) &&
           __builtin_cpu_supports("avx");
}

const bag_sha2x4 bag_sha256x4 = {
    .word = 4,
    .first = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
              0x5be0cd19},
    .able = able256,
    .compress = compress256,
};

#else

/* ARM's processors have instructions of their own, which libcrypto uses. */
const bag_sha2x4 bag_sha256x4 = {0};

#endif
