# chartutils. `make help` lists the targets.

VERSION := 0.1.0

# ---- settings: override on the command line ----
CC      ?= cc
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR  := $(PREFIX)/bin
MANDIR  := $(PREFIX)/share/man
DATADIR := $(PREFIX)/share/chartutils
COMPDIR := $(PREFIX)/share/bash-completion/completions
PKG_CONFIG ?= pkg-config

# SANITIZE=address,undefined and DEBUG=1 build beside the ordinary build, in folders of their own.
CONFIG  := $(or $(subst $(,),-,$(SANITIZE)),$(if $(DEBUG),debug,release))
, := ,
ifdef SANITIZE
CONFIG  := sanitize
endif
BUILD   := build/$(CONFIG)
BIN     := $(if $(filter release,$(CONFIG)),bin,$(BUILD)/bin)

PACKAGES := libarchive sqlite3 libcrypto
WARN    := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
           -Wvla -Wwrite-strings -Wundef
ALL_CPPFLAGS := -I. -D_XOPEN_SOURCE=700 -D_FILE_OFFSET_BITS=64 -DCT_VERSION='"$(VERSION)"' $(CPPFLAGS)
ALL_CFLAGS = -std=c17 $(WARN) -pthread $(CFLAGS) $(if $(DEBUG),-O0 -g3) \
           $(if $(SANITIZE),-O1 -g -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
             -fno-omit-frame-pointer)
ALL_LDFLAGS = -pthread $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LIBS    := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null || echo -larchive -lsqlite3 -lcrypto)

# ---- the house ----
CMDS    := $(notdir $(wildcard cmd/*))
PROGS   := $(CMDS:%=$(BIN)/chart-%)
PROGS   := $(PROGS:$(BIN)/chart-chart=$(BIN)/chart)
LIB     := $(BUILD)/libchart.a
LIBSRC  := $(wildcard common/*/*.c)
LIBOBJ  := $(LIBSRC:%.c=$(BUILD)/%.o) $(BUILD)/common/fhir/data.o
cmdsrc   = $(sort $(shell find cmd/$(1) -name '*.c'))
cmddata  = $(sort $(shell find cmd/$(1) -name '*.tsv' -o -name '*.rules' -o -name '*.policy'))

all: $(PROGS)

help:
	@echo 'make demo       install what is missing, build, run the pipeline on sample charts'
	@echo 'make check      install what is missing, build, run every test'
	@echo 'make all        executables in bin/'
	@echo 'make unit cli-tests corpus sanitize    parts of check'
	@echo 'make bench      speed next to wc and jq   make lint   format and static analysis'
	@echo 'make install uninstall [PREFIX= DESTDIR=]   make clean'
	@echo 'settings: CC=clang DEBUG=1 SANITIZE=address,undefined'

# ---- objects ----
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: $(BUILD)/%.c
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Data files become a C table of texts: common/fhir/*.tsv as ct_fhir_data, a command's own as
# ct_cmd_data.
$(BUILD)/common/fhir/data.c: $(wildcard common/fhir/*.tsv) scripts/embed
	@mkdir -p $(@D)
	scripts/embed ct_fhir_data common/fhir $(filter %.tsv,$^) >$@.tmp && mv $@.tmp $@

$(LIB): $(LIBOBJ)
	@rm -f $@
	$(AR) rcs $@ $^

define command
$(BUILD)/cmd/$(1)/data.c: $(call cmddata,$(1)) scripts/embed
	@mkdir -p $$(@D)
	scripts/embed ct_cmd_data cmd/$(1) $$(filter-out scripts/embed,$$^) >$$@.tmp && mv $$@.tmp $$@

$(if $(filter chart,$(1)),$(BIN)/chart,$(BIN)/chart-$(1)): \
    $(patsubst %.c,$(BUILD)/%.o,$(call cmdsrc,$(1))) $(BUILD)/cmd/$(1)/data.o $(LIB)
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach c,$(CMDS),$(eval $(call command,$(c))))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

clean:
	rm -rf bin build

.PHONY: all help clean
.SECONDARY:
