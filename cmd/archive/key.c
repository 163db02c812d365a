/* Makes, keeps and finds keys. */
#define _DEFAULT_SOURCE /* getentropy */
#include "cmd/archive/key.h"
#include "cmd/archive/sink.h"
#include "cmd/archive/zip_directory.h"
#include "common/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

enum { IDENTITY_LEN = 2 * CT_SHA256_LEN };

static const ct_str prefix = {"key-", 4};

void bag_key_wipe(bag_key *key)
{
    OPENSSL_cleanse(key, sizeof(*key));
}

static void wipe_buf(ct_buf *b)
{
    if (b->p)
        OPENSSL_cleanse(b->p, b->cap);
    ct_buf_free(b);
}

/* From BAG_KEY_LEN digits. */
static void set_key(bag_key *key, const char *digits)
{
    memcpy(key->text, digits, BAG_KEY_LEN);
    key->text[BAG_KEY_LEN] = '\0';
}

bool bag_key_new(bag_key *key, ct_err *err)
{
    uint8_t bytes[BAG_KEY_LEN / 2];
    static const char digits[] = "0123456789abcdef";

    if (getentropy(bytes, sizeof(bytes)) != 0)
        return ct_fail_sys(err, errno, "no random key can be had");
    for (size_t i = 0; i < sizeof(bytes); i++) {
        key->text[2 * i] = digits[bytes[i] >> 4];
        key->text[2 * i + 1] = digits[bytes[i] & 15];
    }
    key->text[BAG_KEY_LEN] = '\0';
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return true;
}

/* ---- labels ---- */

void bag_key_check(ct_buf *to, const bag_key *key)
{
    uint8_t digest[CT_SHA256_LEN];

    ct_sha256(ct_str_z(key->text), digest);
    ct_hex(to, digest, BAG_KEY_CHECK / 2);
}

void bag_key_label(ct_buf *to, ct_str identity, const bag_key *key)
{
    ct_buf_put(to, prefix);
    ct_buf_put(to, identity);
    ct_buf_c(to, '-');
    bag_key_check(to, key);
    ct_buf_c(to, '\0');
    to->n--;
}

static bool is_label(ct_str name)
{
    return name.n == prefix.n + IDENTITY_LEN + 1 + BAG_KEY_CHECK && ct_str_starts(name, prefix);
}

bool bag_key_wanted(const char *zip, ct_buf *label)
{
    int fd = open(zip, O_RDONLY | O_CLOEXEC);
    bag_zip *z = fd < 0 ? NULL : bag_zip_open(fd);
    bag_zip_entry e;
    bool wanted = z && bag_zip_rewind(z) && bag_zip_count(z) == 2 && bag_zip_next(z, &e) &&
                  ct_str_is(e.name, BAG_SECRET_ENTRY) && (e.flags & BAG_ZIP_SECRET) &&
                  bag_zip_next(z, &e) && is_label(e.name);

    if (wanted)
        ct_buf_put(label, e.name);
    bag_zip_close(z);
    if (fd >= 0)
        close(fd);
    return wanted;
}

/* ---- a file ---- */

static bool write_key(int fd, const bag_key *key, ct_err *err)
{
    char line[BAG_KEY_LEN + 1];
    bool ok;

    memcpy(line, key->text, BAG_KEY_LEN);
    line[BAG_KEY_LEN] = '\n';
    ok = write(fd, line, sizeof(line)) == (ssize_t)sizeof(line) && fsync(fd) == 0;
    if (!ok)
        ct_fail_sys(err, errno, "cannot write the key file");
    OPENSSL_cleanse(line, sizeof(line));
    return ok;
}

static bool keep_in_file(const char *path, const bag_key *key, ct_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok;

    if (fd < 0)
        return ct_fail_sys(err, errno, "cannot make the key file");
    ok = write_key(fd, key, err);
    ok = (close(fd) == 0 || (ok && ct_fail_sys(err, errno, "cannot write the key file"))) && ok;
    ok = ok && bag_sync_parent(path, err);
    if (!ok)
        unlink(path);
    return ok;
}

static bool read_file(const char *path, bag_key *key, ct_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[BAG_KEY_LEN + 2];
    ssize_t n;
    bool ok;

    if (fd < 0)
        return ct_fail_sys(err, errno, "cannot open the key file");
    n = read(fd, text, sizeof(text));
    close(fd);
    if (n < 0)
        return ct_fail_sys(err, errno, "cannot read the key file");
    ok = n == BAG_KEY_LEN || (n == BAG_KEY_LEN + 1 && text[BAG_KEY_LEN] == '\n');
    if (ok)
        set_key(key, text);
    OPENSSL_cleanse(text, sizeof(text));
    return ok || ct_fail(err, CT_E_USAGE, "the key file does not hold a key");
}

/* ---- a database ---- */

static bool keep_in_db(const char *path, ct_str identity, const bag_key *key, ct_err *err)
{
    ct_db *db = ct_db_open(path, err);
    bool ok = db && ct_key_put(db, identity, ct_str_z(key->text), err);

    ct_db_close(db);
    return ok;
}

static bool find_in_db(const char *path, ct_str identity, bag_key *key, ct_err *err)
{
    ct_db *db = ct_db_open_readonly(path, err);
    ct_buf text = {0};
    bool found = false, ok = db && ct_key_get(db, identity, &text, &found, err);

    ct_db_close(db);
    if (!db && err) /* it says what was tried with the bag, not with the database */
        err->text = "is encrypted, and the database of keys cannot be opened";
    if (ok && (!found || text.n != BAG_KEY_LEN))
        ok = ct_fail(err, CT_E_USAGE, "is encrypted, and its key is not in the database");
    if (ok)
        set_key(key, text.p);
    wipe_buf(&text);
    return ok;
}

/* ---- either ---- */

bool bag_key_keep(const bag_keys *keys, ct_str identity, const bag_key *key, ct_err *err)
{
    return keys->file ? keep_in_file(keys->file, key, err)
                      : keep_in_db(keys->db, identity, key, err);
}

bool bag_key_ready(const bag_keys *keys, ct_err *err)
{
    ct_db *db;

    if (keys->file)
        return access(keys->file, F_OK) != 0 ||
               ct_fail(err, CT_E_USAGE, "there is something of the name of the key file already");
    db = ct_db_open(keys->db, err);
    ct_db_close(db);
    return db != NULL;
}

bool bag_key_find(const bag_keys *keys, ct_str label, bag_key *key, ct_err *err)
{
    ct_str identity = ct_str_head(ct_str_from(label, prefix.n), IDENTITY_LEN);
    ct_buf check = {0};
    bool ok;

    if (!keys)
        return ct_fail(err, CT_E_USAGE, "is encrypted, and no key was given");
    ok = keys->file ? read_file(keys->file, key, err) : find_in_db(keys->db, identity, key, err);
    if (!ok)
        return false;
    bag_key_check(&check, key);
    ok = ct_str_ends(label, ct_buf_str(&check));
    ct_buf_free(&check);
    return ok || ct_fail(err, CT_E_USAGE, "is encrypted, and with another key");
}
