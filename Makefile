# The commands of a working day. `make run` and `make test` set up what they need.

PREFIX ?= /usr/local
RELEASE := swift build -c release --static-swift-stdlib --product headlamp
SWIFT_SOURCES := Package.swift Sources Tests Notebooks-as-scripts

SECONDS ?= 60

PYTHON_TEST := .build/python-test

NOTEBOOKS := FirstCircuit ReadARecording YourOwnTask PatchAndAttribute CompareMethods ExplainAPrediction \
	TrainAToyModel DiscoverHeads InformationPathways WideAttention

.PHONY: mpi test-cluster wheel test-wheel test-docs docs notebooks codebook-model large-codebook-model picture run build test fuzz sanitize stress format lint bench install dependencies clean

run: build
	.build/release/headlamp discover ioi

build: dependencies
	$(RELEASE)

test: dependencies
	swift test -c release --scratch-path .build/tests
	Tests/Documentation/run .build/tests/release/headlamp

# Looks for inputs that trap, hang or ask for too much, in every reader of files, SECONDS each. With
# FUZZ_FLAGS="-Xswiftc -Onone" it is built in less time and tries fewer inputs.
fuzz: dependencies
	HEADLAMP_FUZZ=1 swift build -c release --scratch-path .build/fuzz --sanitize=fuzzer --product Fuzz $(FUZZ_FLAGS)
	SECONDS_EACH=$(SECONDS) Tests/Fuzz/run

# headlamp-mpi, with the MPI that pkg-config finds; 'headlamp' never links one.
MPI ?= $(firstword $(foreach name,ompi-c mpich,$(shell pkg-config --exists $(name) 2>/dev/null && echo $(name))))
mpi: dependencies
	@[ -n "$(MPI)" ] || { echo "pkg-config finds no MPI; on Debian: apt-get install libopenmpi-dev openmpi-bin" >&2; exit 1; }
	HEADLAMP_MPI=$(MPI) swift build -c release --product headlamp-mpi

# Work in parts under a real Slurm and a real MPI; each is skipped, with the reason, where there is none.
test-cluster: build
	Tests/Cluster/slurm .build/release/headlamp
	if [ -n "$(MPI)" ]; then $(MAKE) mpi; fi
	Tests/Cluster/mpi .build/release/headlamp .build/release/headlamp-mpi
	Tests/Cluster/hosts .build/release/headlamp .build/release/headlamp-mpi

# Every test under the address and the thread sanitizer.
sanitize: dependencies
	ASAN_OPTIONS=detect_leaks=0 swift test -c release --scratch-path .build/address --sanitize=address
	TSAN_OPTIONS=suppressions=$(CURDIR)/.ci/thread-sanitizer \
		swift test -c release --scratch-path .build/thread --sanitize=thread

# Kills at random moments, and the same bytes over many runs, threads and loads.
stress: build
	python3 Tests/Stress/kills.py .build/release/headlamp --kills 500
	python3 Tests/Stress/shard_kills.py .build/release/headlamp --kills 50
	python3 Tests/Stress/same_bytes.py .build/release/headlamp --runs 100
	HEADLAMP_EVERY_FAULT=1 swift test -c release --scratch-path .build/tests --filter FaultedCommandTests

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
	mkdir -p $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions zsh/site-functions fish/vendor_completions.d man/man1)
	.build/release/headlamp completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/headlamp
	.build/release/headlamp completions zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_headlamp
	.build/release/headlamp completions fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/headlamp.fish
	.build/release/headlamp completions man > $(DESTDIR)$(PREFIX)/share/man/man1/headlamp.1

wheel: build
	Python/build-wheel

# The wheel as a user has it: in an environment of its own, away from this folder.
test-wheel: wheel
	rm -rf $(PYTHON_TEST) && python3 -m venv $(PYTHON_TEST)
	$(PYTHON_TEST)/bin/pip install --quiet Python/dist/*.whl -r Python/tests/requirements.txt
	cd $(PYTHON_TEST) && bin/pytest -q -p no:cacheprovider $(CURDIR)/Python/tests

# The reading examples of docs/, in the environment of `make test-wheel` where there is one.
test-docs: build
	PYTHON="$$(ls $(CURDIR)/$(PYTHON_TEST)/bin/python 2>/dev/null || echo python3)" NEEDED=1 \
		Tests/Documentation/run .build/release/headlamp

# The reference of the libraries: .build/documentation/Headlamp.doccarchive.
docs: build
	.ci/documentation

# Takes the README's picture of a report again; needs Chromium.
picture: build
	.ci/picture

# Trains the bundled model with codebooks again: about a minute.
SMALL_MACHINE := Circuits/tokfsm/small-task.json --text-weight 1 --pairs 4000
codebook-model: build
	.build/release/headlamp train-model $(SMALL_MACHINE) --output .build/state-machine \
		--layers 2 --heads 2 --d-model 32 --rotary --steps 6000 --weight-decay 1
	.build/release/headlamp train-model $(SMALL_MACHINE) --output Circuits/tokfsm/small-codebook \
		--from .build/state-machine --codebook both --codes 100 --commitment 4 --steps 1600 --learning-rate 3e-4

# Trains the bundled model of 100 states again: about fifty minutes on two cores.
LARGE_MACHINE := tokfsm --text-weight 1
large-codebook-model: build
	.build/release/headlamp train-model $(LARGE_MACHINE) --pairs 60000 --output .build/large-state-machine \
		--layers 2 --heads 4 --d-model 64 --rotary --steps 24000 --weight-decay 1 --evaluate-every 2000
	.build/release/headlamp train-model $(LARGE_MACHINE) --pairs 12000 --output Circuits/tokfsm/codebook \
		--from .build/large-state-machine --codebook both --codes 1000 --code-price 0.06 --merges 6 \
		--codes-follow 0.02 --commitment 3 --steps 5400 --batch 32 --learning-rate 1e-4 --evaluate-every 900

# Runs the narrated programs, each of which writes figures to results/figures.
notebooks: build
	swift build -c release --static-swift-stdlib
	for program in $(NOTEBOOKS); do .build/release/$$program || exit 1; done

clean:
	rm -rf .build results
