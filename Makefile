# What people type. Everything else is Meson's: see meson.build.
#
#   make run      build it and watch this machine; Ctrl-C stops it; alerts stay in /run/bulkhead-run
#   make check    every test: units, fuzzing for a minute a target, cages, storms, kills
#   make bench    what it costs, beside what Debian's auditd and sysdig cost
#   make tidy     house rules alone: format, dependency rule, banned calls
#   make fuzz     fuzzing for FUZZ_SECONDS a target (an hour)
#   make soak     20,000,000 random rules and events against an independent evaluator, a million changed packs: hours
#   make setup    the Debian packages that the targets above need; they call it themselves
#   make install  into DESTDIR/PREFIX

BUILD ?= build
PREFIX ?= /usr
FUZZ_SECONDS ?= 3600
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: all setup build run check bench tidy fuzz soak install clean

all: build

setup:
	@tests/setup.sh build

build: setup
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD) --prefix $(PREFIX) > $(BUILD).log \
		|| { tail -20 $(BUILD).log; exit 1; }
	@ninja -C $(BUILD)

run: build
	@echo "In another terminal: sudo BULKHEAD_HOME=/run/bulkhead-run $(BUILD)/src/ctl/bulkhead status"
	@$(SUDO) $(BUILD)/src/ctl/bulkhead run --home /run/bulkhead-run --content $(BUILD)/content/content.pack

check:
	@tests/setup.sh build check
	@tests/check.sh

bench: build
	@tests/setup.sh build bench
	@$(SUDO) bench/run.sh $(BUILD)

tidy:
	@tests/setup.sh build check
	@tests/tidy.sh

fuzz:
	@tests/setup.sh build check
	@tests/fuzz.sh $(FUZZ_SECONDS)

soak: build
	@tests/setup.sh build check
	@tests/differential/differential_test.py $(BUILD) --pairs 20000000 --seed $$(date +%s)
	@tests/sanitized.sh build-sanitized > /dev/null && ninja -C build-sanitized > /dev/null
	@tests/mutate/mutate_test.py build-sanitized --seconds 1000000 --seed $$(date +%s)

install: build
	@meson install -C $(BUILD)

clean:
	@rm -rf build build-* build*.log
