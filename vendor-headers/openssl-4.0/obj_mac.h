/* <openssl/obj_mac.h>: numbers of objects; what OpenSSL 4.0 added. */

/* Other objects of PKIX */
#define NID_id_alg_hss_lms_hashsig ...
