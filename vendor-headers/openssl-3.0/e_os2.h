/* <openssl/e_os2.h>: types of the C library. */

/* Types */
typedef int... time_t;
