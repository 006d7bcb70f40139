/* Types */
typedef struct CMS_EnvelopedData_st CMS_EnvelopedData;
