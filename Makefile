# chartutils. `make help` lists the targets.

VERSION := 0.1.0

# ---- settings: override on the command line ----
CC         ?= cc
CFLAGS     ?= -O2 -g
PREFIX     ?= /usr/local
DESTDIR    ?=
PKG_CONFIG ?= pkg-config
JOBS       ?= $(shell nproc 2>/dev/null || echo 2)

# DEBUG=1 and SANITIZE=address,undefined build beside the ordinary build, in folders of their own.
CONFIG  := $(if $(SANITIZE),sanitize,$(if $(DEBUG),debug,release))
BUILD   ?= build/$(CONFIG)
BIN     ?= $(if $(filter build/release,$(BUILD)),bin,$(BUILD)/bin)

BINDIR  := $(DESTDIR)$(PREFIX)/bin
MANDIR  := $(DESTDIR)$(PREFIX)/share/man
COMPDIR := $(DESTDIR)$(PREFIX)/share/bash-completion/completions

PACKAGES     := libarchive sqlite3 libcrypto libpcre2-8 expat zlib libzstd liblzma libisal
# What only one command uses: PACKAGES_command.
PACKAGES_archive := harfbuzz-subset fribidi
WARNINGS     := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
                -Wvla -Wwrite-strings -Wundef
DEFINES      := -D_XOPEN_SOURCE=700 -D_FILE_OFFSET_BITS=64 -DCT_VERSION='"$(VERSION)"'
ALL_CPPFLAGS := -I. $(DEFINES) $(CPPFLAGS)
ALL_CFLAGS   := -std=c17 $(WARNINGS) -pthread $(CFLAGS) $(if $(DEBUG),-O0 -g3)
ALL_LDFLAGS  := -pthread $(LDFLAGS)
ifdef SANITIZE
ALL_CFLAGS   += -O1 -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
ALL_LDFLAGS  += -fsanitize=$(SANITIZE) -Wl,--as-needed
endif
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null || \
          echo -larchive -lsqlite3 -lcrypto -lpcre2-8 -lexpat -lz -lzstd -lisal) -lm
LIBS_archive := $(shell $(PKG_CONFIG) --libs $(PACKAGES_archive) 2>/dev/null || \
                  echo -lharfbuzz-subset -lharfbuzz -lfribidi)

# V=1 shows whole command lines.
Q   := $(if $(V),,@)
SAY  = @$(if $(V),:,printf '  %-6s %s\n')

# ---- the house ----
CMDS    := $(patsubst cmd/%/main.c,%,$(wildcard cmd/*/main.c))
LIB     := $(BUILD)/libchart.a
# Layers with data files of their own.
LIBDATA := $(sort $(patsubst common/%/,%,$(dir $(wildcard common/*/*.tsv))))
LIBOBJ  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard common/*/*.c)) $(LIBDATA:%=$(BUILD)/common/%/embedded.o)
TESTS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
CASES   := $(sort $(foreach c,$(wildcard tests/*/*/cmd),$(word 2,$(subst /, ,$(c)))))
CORPUS  := $(notdir $(shell find tests/corpus -type f -perm -u+x | sort))
# What judges the records of runs that others make as well is not asked again of programs with sanitizers.
ifdef SANITIZE
CORPUS  := $(filter-out import-hl7v2-coverage import-hl7v2-valid import-hl7v2-values,$(CORPUS))
endif
CHECKERS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/corpus/*.c))
HELPERS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/helpers/*.c))
# simdjson is a peer where it is there.
BENCH   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c)) $(if \
             $(shell $(PKG_CONFIG) --exists simdjson && command -v $(CXX)),$(BUILD)/tests/bench/simdjson)
SOAK    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/soak/*.c))
SHIM    := $(BUILD)/tests/faults/shim.so
MAN     := $(wildcard man/*.[1-9])
program  = $(BIN)/$(if $(filter chart,$(1)),chart,chart-$(1))
PROGRAMS := $(foreach c,$(CMDS),$(call program,$(c)))
DATA     = $(shell find cmd/$(1) -name '*.tsv' -o -name '*.rules' -o -name '*.policy' \
             -o -name '*.retention' | sort)
SOURCES  = $(shell find cmd/$(1) -name '*.c' | sort)

all: $(PROGRAMS)

help:
	@echo 'make demo       install what is missing, build, run the pipeline on sample charts'
	@echo 'make check      install what is missing, build, run every test'
	@echo 'make all        executables in bin/'
	@echo 'make install    uninstall: PREFIX=$(PREFIX) DESTDIR='
	@echo 'make bench      speed and memory next to wc, cat, jq, sort, zstd and simdjson; RUNS=5 COPIES=8 PARTS=bags'
	@echo 'make soak       bags are damaged, and what makes, mends and ends them is killed, by chance; a zip of more'
	@echo '                than 4 GiB is made; ROUNDS=10000 ENDS=500 SEED=1 TMPDIR=/tmp'
	@echo 'make fuzz       T=60 seconds for each harness'
	@echo 'make lint       format, static analysis, manual'
	@echo 'make clean'
	@echo 'settings: CC=clang DEBUG=1 SANITIZE=address,undefined'

# ---- objects; -MMD keeps track of headers ----
COMPILE = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(COMPILE) -c -o $@ $<

$(BUILD)/%.o: $(BUILD)/%.c
	$(SAY) CC $@
	$(Q)$(COMPILE) -c -o $@ $<

$(LIB): $(LIBOBJ)
	@rm -f $@
	$(SAY) AR $@
	$(Q)$(AR) rcs $@ $^

# Data files become tables of texts: common/LAYER/*.tsv as ct_LAYER_data, a command's own as ct_cmd_data.
define layer
$(BUILD)/common/$(1)/embedded.c: $(wildcard common/$(1)/*.tsv) scripts/embed
	@mkdir -p $$(@D)
	$$(SAY) EMBED $$@
	$$(Q)scripts/embed ct_$(1)_data common/$(1) $$(filter %.tsv,$$^) >$$@.tmp
	@mv $$@.tmp $$@
endef
$(foreach l,$(LIBDATA),$(eval $(call layer,$(l))))

define command
$(BUILD)/cmd/$(1)/data.c: $(call DATA,$(1)) scripts/embed
	@mkdir -p $$(@D)
	$$(SAY) EMBED $$@
	$$(Q)scripts/embed ct_cmd_data cmd/$(1) $$(filter-out scripts/embed,$$^) >$$@.tmp
	@mv $$@.tmp $$@

$(call program,$(1)): $(patsubst %.c,$(BUILD)/%.o,$(call SOURCES,$(1))) $(BUILD)/cmd/$(1)/data.o $(LIB)
	@mkdir -p $$(@D)
	$$(SAY) LINK $$@
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS) $$(LIBS_$(1))
endef
$(foreach c,$(CMDS),$(eval $(call command,$(c))))

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(HELPERS) $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka -lyajl

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(LIB)
	$(SAY) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/bench/simdjson: tests/bench/simdjson.cpp tests/bench/timing.h
	@mkdir -p $(@D)
	$(SAY) CXX $@
	$(Q)$(CXX) -std=c++17 -O3 -I. -o $@ $< $$($(PKG_CONFIG) --cflags --libs simdjson)

$(SHIM): tests/faults/shim.c
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(COMPILE) -fPIC -shared -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- tests: each part leaves its result lines in build/check/; parts run side by side ----
PART := tests/part build/check/$(if $(SANITIZE),sanitize-)

check: export TMPDIR := $(shell tests/scratch)
check:
	scripts/deps
	@rm -rf build/check
	$(MAKE) -j$(JOBS) all programs-for-tests $(SHIM)
	$(MAKE) -j$(JOBS) SANITIZE=address,undefined all programs-for-tests
	$(MAKE) -j$(JOBS) CC=clang BUILD=build/clang CFLAGS='-O2 -Werror' all
	$(MAKE) -j$(JOBS) -Otarget sanitize parts fuzz-seeds
	@tests/summary build/check/*.tap

programs-for-tests: $(TESTS) $(CHECKERS) $(SOAK)

parts: unit faults corpus cases manual house check-install rot ends

unit: $(TESTS)
	@$(PART)unit.tap tests/run-unit $(TESTS)

cases: $(CASES:%=cases-%)
cases-%: all
	@$(UNLEAKED) $(PART)cases-$*.tap tests/run $*

# A sanitizer stands where the shim would.
faults: export FAULT_SHIM = $(if $(SANITIZE),,$(SHIM))
faults: all $(if $(SANITIZE),,$(SHIM))
	@$(UNLEAKED) $(PART)faults.tap tests/faults/run

corpus: $(CORPUS:%=corpus-%)
corpus-%: all $(CHECKERS)
	@$(UNLEAKED) $(PART)corpus-$*.tap tests/corpus/$*

manual: all
	@$(PART)manual.tap tests/manual

house: all
	@$(PART)house.tap tests/house

# Each harness is built, and looks at what it starts from.
fuzz-seeds:
	@$(PART)fuzz.tap tests/fuzz/run 0

# A few hundred of the rounds of `make soak`.
rot: all $(SOAK)
	@SOAK_PROGRAMS=$(BUILD)/tests/soak $(PART)rot.tap tests/soak/run 300 1

ends: all $(SHIM)
	@FAULT_SHIM=$(SHIM) $(PART)ends.tap tests/soak/ends 20 1

# The same tests again with programs that stop at the first undefined behaviour or stray access. Leaks are looked
# for in the unit tests: a command that ends on an error leaves its memory to the system.
UNLEAKED := ASAN_OPTIONS=detect_leaks=0
sanitize:
	$(MAKE) SANITIZE=address,undefined unit faults corpus cases
ifdef SANITIZE
export NAMES := sanitize/
export CHART_BIN := $(BIN)
export CHART_CHECKERS := $(BUILD)/tests/corpus
endif

# What install puts there, uninstall takes away.
check-install: all
	@rm -rf build/check/root
	@$(MAKE) -s install DESTDIR=build/check/root PREFIX=/usr
	@$(PART)install.tap tests/install build/check/root/usr
	@$(MAKE) -s uninstall DESTDIR=build/check/root PREFIX=/usr
	@$(PART)uninstall.tap tests/install --gone build/check/root

# ---- for people ----
RUNS   ?= 5
COPIES ?= 8
T      ?= 60
ROUNDS ?= 10000
ENDS   ?= 500
SEED   ?= 1

demo:
	scripts/deps
	$(MAKE) -s -j$(JOBS) all
	@scripts/demo

bench: export BENCH_PROGRAMS = $(BUILD)/tests/bench
bench: all $(BENCH)
	@COPIES=$(COPIES) RUNS=$(RUNS) PARTS="$(PARTS)" tests/bench/run

lint: all
	clang-format --dry-run -Werror $$(git ls-files '*.[ch]')
	shellcheck $$(git grep -lE '^#!/bin/sh' -- . ':!*.c' ':!*/cmd' ':!man')
	mandoc -Tlint -Wwarning $(MAN)
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
	    --suppress=missingInclude --suppress=ctunullpointer -I. $(DEFINES) common cmd
	clang-tidy --quiet $$(git ls-files 'common/*.c' 'cmd/*.c') -- -std=c17 $(ALL_CPPFLAGS)

soak: export SOAK_PROGRAMS = $(BUILD)/tests/soak
soak: all $(SOAK) $(SHIM)
	tests/soak/run $(ROUNDS) $(SEED)
	FAULT_SHIM=$(SHIM) tests/soak/ends $(ENDS) $(SEED)
	tests/soak/large

fuzz:
	tests/fuzz/run $(T)

install: all
	install -d $(BINDIR) $(COMPDIR) $(foreach n,1 5 7,$(MANDIR)/man$(n))
	install -m 755 $(PROGRAMS) $(BINDIR)
	for page in $(MAN); do install -m 644 $$page $(MANDIR)/man$${page##*.}; done
	install -m 644 scripts/completion.bash $(COMPDIR)/chart

uninstall:
	rm -f $(foreach c,$(CMDS),$(BINDIR)/$(notdir $(call program,$(c)))) $(COMPDIR)/chart
	for page in $(MAN); do rm -f $(MANDIR)/man$${page##*.}/$${page##*/}; done

clean:
	rm -rf bin build

.PHONY: all help check programs-for-tests unit cases faults manual house corpus rot ends sanitize sanitize-run \
        check-install demo bench lint soak fuzz install uninstall clean
.SECONDARY:
