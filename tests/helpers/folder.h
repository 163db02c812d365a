/* A folder of its own for each test, which is the current one while it runs. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

/* Setup and teardown of cmocka. */
int enter_folder(void **state);
int leave_folder(void **state);

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

#endif
