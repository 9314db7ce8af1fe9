# Every command that people and the CI job run. Works with GNU make 3.81 (macOS) and newer.

PREFIX ?= $(HOME)/.local
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
# A quoted ~ is no home folder, and not every shell expands it in PREFIX=~/.local.
BIN := $(DESTDIR)$(patsubst ~/%,$(HOME)/%,$(PREFIX))/bin
PROGRAMS := pu-shim pu-engine pu

.PHONY: help demo test faults lint plugins install uninstall bench fuzz
.DEFAULT_GOAL := help

help:
	@echo 'make demo      show PurePoint at work in a throw-away project (no API key; network only to build the first time)'
	@echo 'make test      build everything and run all tests'
	@echo 'make faults    fail, kill and damage everything: all of the fault-injection suite, of which make test runs a part'
	@echo 'make lint      formatting, clippy with warnings as errors, licences and sources of dependencies'
	@echo 'make plugins   build the bundled plugins anew (needs a wasm32 standard library)'
	@echo 'make install   build for release and install into PREFIX/bin (PREFIX=$(PREFIX))'
	@echo 'make uninstall remove from PREFIX/bin what make install put there; data and agents stay'
	@echo 'make bench     measure on this machine, beside tmux where it is installed'
	@echo 'make fuzz      random components and random answers through the plugin host; fuzz/README.md has the longer runs'

demo:
	cargo build --locked --workspace --bins
	$(TARGET)/debug/pu demo

# The end-to-end tests drive the built programs, so these are built first. Documentation tests come before the rest,
# so that the run ends on the test runner's own summary.
test:
	cargo build --locked --workspace --bins
	cargo test --locked --doc -p pu-plugin-sdk
	@if cargo nextest --version >/dev/null 2>&1; then \
	    set -x; cargo nextest run --locked --workspace --no-fail-fast; \
	else \
	    echo 'cargo-nextest is not installed: running cargo test instead' >&2; \
	    set -x; cargo test --locked --workspace --tests --no-fail-fast; \
	fi

# The programs that the tests drive have fault points, as those of `test`. What is built for release must have none, and the
# suite looks. It prints what each case came to.
faults:
	cargo build --locked --workspace --bins
	cargo build --locked --release -p pu-shim -p pu-engine -p pu
	@if cargo nextest --version >/dev/null 2>&1; then \
	    set -x; cargo nextest run --locked --workspace --test faults --run-ignored all --no-fail-fast --success-output final; \
	else \
	    echo 'cargo-nextest is not installed: running cargo test instead' >&2; \
	    set -x; cargo test --locked --workspace --test faults --no-fail-fast -- --include-ignored --show-output; \
	fi

lint:
	cargo fmt --all -- --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then \
	    set -x; cargo deny --locked check --hide-inclusion-graph licenses bans sources; \
	else \
	    echo 'SKIPPED: cargo-deny is not installed, so licences and sources of dependencies were not checked' >&2; \
	fi

plugins:
	plugins/build

# All three are copied first and renamed last: a running daemon keeps the file that it was started from, no moment
# shows half a program, and pu comes last, so that it never finds an engine older than itself.
install:
	cargo build --locked --release -p pu-shim -p pu-engine -p pu
	mkdir -p "$(BIN)"
	@set -e; trap 'cd "$(BIN)" && rm -f $(PROGRAMS:%=.%.new)' EXIT; \
	for program in $(PROGRAMS); do \
	    if grep -q PU_FAULT "$(TARGET)/release/$$program"; then \
	        echo "$$program has fault points, which are for tests: it is not installed" >&2; exit 1; \
	    fi; \
	    cp "$(TARGET)/release/$$program" "$(BIN)/.$$program.new"; \
	    chmod 755 "$(BIN)/.$$program.new"; \
	done; \
	for program in $(PROGRAMS); do \
	    mv -f "$(BIN)/.$$program.new" "$(BIN)/$$program"; \
	done
	@echo 'installed $(PROGRAMS) in $(BIN)'
	@case ":$$PATH:" in *":$(BIN):"*) ;; *) echo 'note: $(BIN) is not in PATH';; esac

uninstall:
	cd "$(BIN)" && rm -f $(PROGRAMS)

bench:
	tests/bench/run

# Both stop at the first finding. The compiler that the host calls is the release build's.
fuzz:
	cargo build --locked --release -p pu-engine
	cargo run --locked --release --manifest-path fuzz/Cargo.toml --bin answers -- --count 100000
	cargo run --locked --release --manifest-path fuzz/Cargo.toml --bin components -- --count 1000 --engine "$(TARGET)/release/pu-engine"
