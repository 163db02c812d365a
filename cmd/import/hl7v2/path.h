/* Compiled paths in a value that is being built. */
#ifndef CHART_IMPORT_PATH_H
#define CHART_IMPORT_PATH_H

#include "cmd/import/hl7v2/map.h"

/* The value there, or NULL. */
ct_tree *import_path_find(ct_tree *root, const import_path *path);
/* Puts `value` there, making the way. False where the way is blocked by a value of another kind. */
bool import_path_put(ct_arena *a, ct_tree *root, const import_path *path, ct_tree *value);
#endif
