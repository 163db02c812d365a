/* Numbers in a zip that more than one file knows (PKWARE's APPNOTE.TXT 6.3). */
#ifndef CHART_ARCHIVE_ZIP_FORMAT_H
#define CHART_ARCHIVE_ZIP_FORMAT_H

enum bag_zip_method { BAG_ZIP_STORED = 0, BAG_ZIP_DEFLATED = 8 };

/* Flags. */
enum {
    BAG_ZIP_SECRET = 1 << 0, /* encrypted */
    BAG_ZIP_LATER = 1 << 3,  /* sizes and checksum stand behind the file */
    BAG_ZIP_UTF8 = 1 << 11,  /* so is the name */
};

/* Extra fields. */
enum {
    BAG_ZIP_WIDE = 1,              /* 64-bit sizes and offset */
    BAG_ZIP_TIMES = 0x5455,        /* Info-ZIP's: seconds since 1970 UTC */
    BAG_ZIP_UNICODE_PATH = 0x7075, /* Info-ZIP's: another name */
};

enum { BAG_ZIP_UNIX = 3 }; /* the system on which it was made */

#endif
