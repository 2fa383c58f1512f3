# What to do with this repository. "make" alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:

FUZZTIME ?= 4s
J ?=
SEEDS ?= 10000
UI := web/ui
UI_SOURCES := $(shell find $(UI)/src -type f) $(UI)/build.mjs $(UI)/tsconfig.json
PAGES := $(if $(shell command -v npm),$(UI)/dist/index.html,no-pages)
# Packages whose tests listen to calls: they run alone, one after the other, since audio is
# late where both processors are taken.
HEARING = tandem/(internal/app|bridge/phone|ivr/voice|media|sip)$$
# Journeys that listen to calls or look at the clock, and those that only look at pages.
HEARING_JOURNEYS = page board call face queue text
LOOKING_JOURNEYS = upgrade studio desk widget
# Tests that are shorter with -short: they run in full, too.
LONG = git grep -p 'testing\.Short()' -- '*_test.go' ':!interop'
LONG_TESTS = ^($$($(LONG) | sed -n 's/.*=func \(Test[A-Za-z0-9_]*\)(.*/\1/p' | sort -u | paste -sd '|'))$$
LONG_PACKAGES = $$(go list $$($(LONG) | sed -n 's,^\([^:=]*\)/[^/:=]*_test\.go=.*,./\1,p' | sort -u)
# Lint has vetted all.
TEST = go test -vet=off
AGAIN = $(MAKE) --no-print-directory

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- building -------------------------------------------------------------

.PHONY: build
build: $(PAGES) ## bin/tandem, with the pages in it
	go build -o bin/tandem ./cmd/tandem

.PHONY: no-pages
no-pages:
	@echo "npm is not here: the program is built without its pages, calls work all the same"

.PHONY: run
run: build ## build and start the demo; prints what to dial
	exec bin/tandem demo

# Only what the pages are built of; tests need more (below).
$(UI)/node_modules/.built-with: $(UI)/package-lock.json
	cd $(UI) && npm ci --omit=dev --loglevel=error
	touch node_modules/.built-with

$(UI)/node_modules/.tested-with: $(UI)/package-lock.json
	cd $(UI) && npm ci --loglevel=error
	touch node_modules/.built-with node_modules/.tested-with

$(UI)/dist/index.html: $(UI)/node_modules/.built-with $(UI_SOURCES)
	cd $(UI) && node build.mjs

.PHONY: prompts
prompts: ## speak the recorded prompts anew (needs flite and espeak-ng)
	go run ./flows/record

# ---- testing --------------------------------------------------------------

.PHONY: deps
deps: ## install the programs that tests need (Debian; says what before it does)
	@.ci/deps

.PHONY: test
test: deps lint build ## everything: lint, all tests, race detector, fuzzing, journeys
	node $(UI)/test/run.mjs
	.ci/beside 'nice -n 10 $(AGAIN) race-rest long-rest fuzz' 'node $(UI)/e2e/run.mjs $(LOOKING_JOURNEYS)'
	$(AGAIN) race-heard long-heard
	$(TEST) -count=1 -skip '^TestHotline$$' ./interop # journey call runs it
	node $(UI)/e2e/run.mjs $(HEARING_JOURNEYS)

.PHONY: lint
lint: $(UI)/node_modules/.tested-with $(UI)/dist/index.html ## gofmt, vet, staticcheck, TypeScript
	@bad=$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l); if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	cd $(UI) && node node_modules/typescript/bin/tsc --noEmit

.PHONY: race race-rest race-heard
race: race-rest race-heard ## all tests but interop under the race detector, with -short
race-rest:
	$(TEST) -race -short $$(go list ./... | grep -v '/interop$$' | grep -v -E "$(HEARING)")
race-heard:
	$(TEST) -race -short -p 1 $$(go list ./... | grep -E "$(HEARING)")

.PHONY: long long-rest long-heard
long: long-rest long-heard ## in full what -short shortens: seeds, arrivals, kills, storms
long-rest:
	$(TEST) -run "$(LONG_TESTS)" $(LONG_PACKAGES) | grep -v -E "$(HEARING)")
long-heard:
	$(TEST) -p 1 -run "$(LONG_TESTS)" $(LONG_PACKAGES) | grep -E "$(HEARING)")

.PHONY: seeds
seeds: ## 10,000 lives of the line, SEEDS=N for more; the tests have 3,000
	$(TEST) -count=1 -v -run 'TestSeeds$$' ./bridge/queue/simulation -seeds=$(SEEDS)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (4s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: e2e
e2e: build $(UI)/node_modules/.tested-with ## journeys in a real browser; J=call for one
	node $(UI)/e2e/run.mjs $(J)

.PHONY: interop
interop: ## start the set-up for phones and test tools on 127.0.0.1:5070
	interop/serve.sh

.PHONY: interop-test
interop-test: ## real phones and test tools against servers of that set-up
	go test -count=1 ./interop

.PHONY: bench
bench: ## Go benchmarks, then 50, 200 and 400 calls beside the floor
	bench/bench.sh

.PHONY: vuln
vuln: ## look the modules up in Go's list of known holes (needs the network)
	go run golang.org/x/vuln/cmd/govulncheck@v1.8.0 ./...

.PHONY: release
release: ## VERSION=v0.3.0: builds twice and compares, lists what is in it, signs (.ci/release)
	.ci/release $(VERSION) release/$(VERSION)

.PHONY: clean
clean: ## remove what was built
	rm -rf bin $(UI)/node_modules $(UI)/e2e/shots
	find $(UI)/dist -mindepth 1 ! -name .keep -delete
