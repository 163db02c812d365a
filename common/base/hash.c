/* A keyed 64-bit hash for tables in memory: the input is taken 16 bytes at a time, each pair of
 * words is mixed with the seed by a 64 x 64 to 128 bit multiplication, whose halves are folded. */
#include "common/base/base.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/random.h>
#endif

/* Odd constants with about half of their bits set. */
static const uint64_t K1 = 0x9e3779b97f4a7c15, K2 = 0xd1b54a32d192ed03, K3 = 0x8cb92ba72f3d8dd7;

static pthread_once_t seeded = PTHREAD_ONCE_INIT;
static uint64_t seed;

static uint64_t fold(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 wide;
    wide r = (wide)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
#else
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t mid = ah * bl + (al * bl >> 32);
    uint64_t low = (uint32_t)mid + al * bh;
    return (a * b) ^ (ah * bh + (mid >> 32) + (low >> 32));
#endif
}

static bool random_bytes(void *to, size_t n)
{
#if defined(__linux__)
    if (getrandom(to, n, 0) == (ssize_t)n)
        return true;
#endif
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = read(fd, to, n) == (ssize_t)n;
    close(fd);
    return done;
}

static void make_seed(void)
{
    if (random_bytes(&seed, sizeof seed))
        return;
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    seed = fold((uint64_t)now.tv_sec ^ (uint64_t)getpid() << 32, K1) ^
           fold((uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)&now, K2);
}

static uint64_t word(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Up to 8 bytes as one number; the length is mixed in apart from it. */
static uint64_t tail(const char *p, size_t n)
{
    if (n == 8)
        return word(p);
    uint64_t w = 0;
    for (size_t i = 0; i < n; i++)
        w = w << 8 | (uint8_t)p[i];
    return w;
}

uint64_t ct_hash(ct_str s)
{
    pthread_once(&seeded, make_seed);
    uint64_t h = seed ^ K3;
    const char *p = s.p;
    size_t n = s.n;
    for (; n > 16; p += 16, n -= 16)
        h = fold(word(p) ^ K1 ^ h, word(p + 8) ^ K2 ^ seed);
    uint64_t a = n > 8 ? word(p) : 0;
    uint64_t b = n > 8 ? word(p + n - 8) : tail(p, n);
    h = fold(a ^ K1 ^ h, b ^ K2 ^ seed);
    return fold(h ^ K3, s.n ^ K1);
}
