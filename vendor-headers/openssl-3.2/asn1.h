/* <openssl/asn1.h>: ASN.1 values; what OpenSSL 3.2 added. */

/* Any ASN.1 item */
void *ASN1_item_unpack_ex(const ASN1_STRING *, const ASN1_ITEM *, OSSL_LIB_CTX *, const char *);
