/* <openssl/asn1.h>: ASN.1 values; what OpenSSL 4.0 added. */

/* Octet and bit strings, UTF-8 and other text */
int ASN1_BIT_STRING_get_length(const ASN1_BIT_STRING *, size_t *, int *);
int ASN1_BIT_STRING_set1(ASN1_BIT_STRING *, const unsigned char *, size_t, int);
