#include "tests/helpers/folder.h"
#include "common/base/base.h"

#include <stdlib.h>
#include <unistd.h>

int enter_folder(void **state)
{
    char *name = strdup("/tmp/chart-unit.XXXXXX");

    *state = name;
    return name && mkdtemp(name) && chdir(name) == 0 ? 0 : -1;
}

int leave_folder(void **state)
{
    ct_buf command = {0};
    int rc;

    ct_buf_printf(&command, "rm -rf '%s'%c", (char *)*state, 0);
    rc = chdir("/") == 0 ? system(command.p) : -1;
    ct_buf_free(&command);
    free(*state);
    return rc;
}
