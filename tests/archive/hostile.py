"""Containers that no packer would write, for the cases of chart archive: a bag of one chart, and what is added to it, header by
header.

    PYTHONPATH="$CASE/.." python3 -B - <<END
    from hostile import *
    tar("dev.tar", member("b/data/null", type=b"3", device=(1, 3)))
    zipped("link.zip", entry("b/data/root", b"/", mode=0o120777))
    END
"""
import hashlib
import struct
import zlib

CHART = b'{"resourceType":"Patient","id":"p1"}\n'


def bag(listed=()):
    """The files of a bag. `listed` are pairs of a path below data/ and bytes that the manifest lists as well: of what is to
    come."""
    files = [("data/charts/p1.ndjson", CHART)]
    lines = b"".join(b"%s  %s\n" % (hashlib.sha256(data).hexdigest().encode(), path.encode())
                     for path, data in files + [("data/" + path, data) for path, data in listed])
    return [("bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"), *files, ("manifest-sha256.txt", lines)]


# ---- tar: POSIX.1-2008 pax, and what GNU tar makes of it ----

def octal(number, width):
    """In base 256 where it is too large for octal digits."""
    text = b"%0*o\0" % (width - 1, number)
    return text if len(text) == width else b"\x80" + number.to_bytes(width - 1, "big")


def member(name, data=b"", type=b"0", link=b"", device=(0, 0), size=None, gnu=b"", prefix=b""):
    """A header and its bytes; `size` is what the header says, `gnu` stands where ustar has its prefix."""
    name = name.encode() if isinstance(name, str) else name
    head = bytearray(512)
    head[0:len(name)] = name
    head[100:108] = octal(0o644, 8)
    head[108:116] = head[116:124] = octal(0, 8)
    head[124:136] = octal(len(data) if size is None else size, 12)
    head[136:148] = octal(0, 12)
    head[156:157] = type
    head[157:157 + len(link)] = link
    head[257:265] = b"ustar  \0" if gnu else b"ustar\x0000"
    head[329:337] = octal(device[0], 8)
    head[337:345] = octal(device[1], 8)
    if gnu:
        head[345:345 + len(gnu)] = gnu
    else:
        head[345:345 + len(prefix)] = prefix
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + data + b"\0" * (-len(data) % 512)


def pax(fields, name="x", type=b"x"):
    """An extended header: pairs of a keyword and bytes, for the member behind it."""
    text = b""
    for key, value in fields:
        body = b" " + key.encode() + b"=" + value + b"\n"
        n = len(body)
        while len(str(n)) + len(body) != n:
            n = len(str(n)) + len(body)
        text += str(n).encode() + body
    return member(name, text, type)


def long_name(name, type=b"L"):
    """GNU tar's way to a name (K: a link) of any length for the member behind it."""
    return member("././@LongLink", name + b"\0", type)


def tar_bytes(*added, listed=()):
    files = [member("b/" + path, data) for path, data in bag(listed)]
    return b"".join(files + list(added)) + b"\0" * 1024


def write(path, data):
    with open(path, "wb") as out:
        out.write(data)


def tar(path, *added, listed=()):
    write(path, tar_bytes(*added, listed=listed))


# ---- zip: PKWARE's APPNOTE 6.3 ----

def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def entry(name, data=b"", mode=0o100644, size=None, raw=None, at=None, extra=b"", flags=0, dos=0, system=3):
    """A file: `raw` is what stands for it packed, `size` what the headers say that it unpacks to; `at` is the offset of a
    header that is there already."""
    name = name.encode() if isinstance(name, str) else name
    return {"name": name, "raw": raw if raw is not None else data, "method": 0 if raw is None else 8, "crc": zlib.crc32(data),
            "size": len(data) if size is None else size, "mode": mode, "at": at, "extra": extra, "flags": flags, "dos": dos,
            "system": system}


def fields(e):
    return struct.pack("<HHHHHIIIHH", 20, e["flags"], e["method"], 0, 33, e["crc"], len(e["raw"]), e["size"], len(e["name"]),
                       len(e["extra"]))


def body_of(entries):
    return b"".join(b"PK\3\4" + fields(e) + e["name"] + e["extra"] + e["raw"] for e in entries if e["at"] is None)


def zip_bytes(entries, order=1):
    """`order` -1: the directory is written from its last file to its first."""
    at, directory = 0, []
    for e in entries:
        where = at if e["at"] is None else e["at"]
        directory.append(b"PK\1\2" + struct.pack("<BB", 20, e["system"]) + fields(e) + struct.pack(
            "<HHHII", 0, 0, 0, e["mode"] << 16 | e["dos"], where) + e["name"] + e["extra"])
        at += len(body_of([e]))
    text = b"".join(directory[::order])
    return body_of(entries) + text + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(text), at, 0)


def zipped(path, *added, listed=()):
    write(path, zip_bytes([entry("b/" + name, data) for name, data in bag(listed)] + list(added)))
