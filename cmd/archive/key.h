/* Keys of encrypted bags: where they are kept, and which one a bag needs.
 *
 * An encrypted bag is a zip of two entries, AES-256 (WinZip's AE-2): `bag.tar.zst`, the bag itself,
 * and an empty one whose name tells, as names are not encrypted, what is needed to find the key and
 * nothing of who is in the bag: `key-IDENTITY-CHECK`, the SHA-256 of the bag's
 * tagmanifest-sha512.txt, and the first 16 digits of that of the key. The password is the key: 256
 * random bits as 64 hexadecimal digits.
 */
#ifndef CHART_ARCHIVE_KEY_H
#define CHART_ARCHIVE_KEY_H

#include "common/base/base.h"

enum { BAG_KEY_LEN = 64, BAG_KEY_CHECK = 16 };

#define BAG_SECRET_ENTRY "bag.tar.zst"

/* Where keys are: a file with one, or (`file` NULL) a database. */
typedef struct bag_keys {
    const char *file, *db;
} bag_keys;

/* 64 random digits and a NUL. */
typedef struct bag_key {
    char text[BAG_KEY_LEN + 1];
} bag_key;

/* A new one, from the system's source of randomness. */
CT_USE bool bag_key_new(bag_key *key, ct_err *err);
/* Keeps the key of the bag, durably. A file must not be there yet; it is created 0600. */
CT_USE bool bag_key_keep(const bag_keys *keys, ct_str identity, const bag_key *key, ct_err *err);
/* Could it be kept there? Before there is anything to lose. */
CT_USE bool bag_key_ready(const bag_keys *keys, ct_err *err);
/* Appends the digits that tell one key from another. */
void bag_key_check(ct_buf *to, const bag_key *key);
/* Appends the name of the second entry, and a NUL that is not counted. */
void bag_key_label(ct_buf *to, ct_str identity, const bag_key *key);
/* Is the zip an encrypted bag? Fills `label`, the name of its second entry. */
bool bag_key_wanted(const char *zip, ct_buf *label);
/* Finds the key that a label tells of. CT_E_USAGE where there is none (`keys` NULL: none was
 * offered), or it is that of another bag. */
CT_USE bool bag_key_find(const bag_keys *keys, ct_str label, bag_key *key, ct_err *err);
void bag_key_wipe(bag_key *key);

#endif
