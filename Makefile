# The commands of a working day. `make run` and `make test` set up what they need.

PREFIX ?= /usr/local
RELEASE := swift build -c release --static-swift-stdlib --product headlamp
SWIFT_SOURCES := Package.swift Sources Tests Notebooks-as-scripts

.PHONY: run build test format lint bench install dependencies clean

run: build
	.build/release/headlamp discover ioi

build: dependencies
	$(RELEASE)

test: dependencies
	swift test -c release --scratch-path .build/tests

dependencies:
	@sh .ci/install-dependencies

format:
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

lint:
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

bench: build
	sh Benchmarks/run

install: build
	install -D -m 755 .build/release/headlamp $(DESTDIR)$(PREFIX)/bin/headlamp
	cd Circuits && find . -type f -exec install -D -m 644 {} $(DESTDIR)$(PREFIX)/share/headlamp/Circuits/{} \;

clean:
	rm -rf .build results
