/* <openssl/obj_mac.h>: numbers of objects; what OpenSSL 3.4 added. */

/* Extended key usages */
#define NID_id_kp_wisun_fan_device ...
