# PacketCache. `make help` lists the targets.

GO        ?= go
FUZZTIME  ?= 10s
BUDGET    ?= 10MiB
BENCHTIME ?= 1s
PLATFORMS := linux/amd64 linux/arm64 windows/amd64 windows/arm64
VERSION   := $(shell scripts/version.sh)
LDFLAGS   := -s -w -X github.com/packetcache/packetcache/internal/version.version=$(VERSION)
# The date that packages bear: that of the source.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
HOST      := $(shell $(GO) env GOOS)-$(shell $(GO) env GOARCH)
# Capturing needs root; building does not.
SUDO      := $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: bin/$(HOST) ## build for this machine and capture in the foreground (ARGS="--ram-size 40MiB" adds flags)
	$(SUDO) bin/$(HOST)/packetcache --data-dir $(CURDIR)/build/run $(ARGS)

.PHONY: build
build: $(PLATFORMS:%=build/%) ## build static binaries for every platform into bin/<os>-<arch>/

# Always rebuilt: go's own cache knows better than make what has changed.
.PHONY: $(PLATFORMS:%=build/%) bin/$(HOST)
$(PLATFORMS:%=build/%): build/%:
	$(if $(filter windows/%,$*),GOOS= GOARCH= $(GO) run ./installer/resources -arch $(notdir $*) -version $(VERSION) cmd/packetcache cmd/pcctl)
	CGO_ENABLED=0 GOOS=$(word 1,$(subst /, ,$*)) GOARCH=$(word 2,$(subst /, ,$*)) \
		$(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/$(subst /,-,$*)/ ./cmd/...
	$(if $(filter windows/%,$*),GOOS= GOARCH= $(GO) run ./eventlog/messagedll -arch $(notdir $*) -version $(VERSION) -o bin/$(subst /,-,$*)/PacketCacheEvents.dll)
	GOOS= GOARCH= $(GO) run ./installer/licences -o bin/$(subst /,-,$*)/THIRD-PARTY.txt \
		$(addprefix bin/$(subst /,-,$*)/,$(if $(filter windows/%,$*),packetcache.exe pcctl.exe,packetcache pcctl))
bin/$(HOST): build/$(subst -,/,$(HOST))

.PHONY: msi
msi: msi/amd64 msi/arm64 ## build the Windows installers into bin/ (by wixl and msitools, see docs/deployment.md)

.PHONY: msi/amd64 msi/arm64
msi/amd64 msi/arm64: msi/%: build/windows/%
	$(GO) run ./installer/wix -arch $* -version $(VERSION) -programs bin/windows-$* \
		-o bin/packetcache-$(VERSION)-$(if $(filter amd64,$*),x64,$*).msi

.PHONY: dist
dist: build build/tools/nfpm ## everything of a release, in dist/ (SIGN_CERT=file SIGN_KEY=file TIMESTAMP_URL=... sign it)
	GO=$(GO) SIGN_CERT='$(SIGN_CERT)' SIGN_KEY='$(SIGN_KEY)' SIGN_CA='$(SIGN_CA)' TIMESTAMP_URL='$(TIMESTAMP_URL)' \
		scripts/dist.sh $(VERSION) dist

# Its modules are many, and concern nothing else.
build/tools/nfpm: .ci/nfpm/go.mod .ci/nfpm/go.sum
	GOOS= GOARCH= $(GO) build -modfile=.ci/nfpm/go.mod -o $@ tool

.PHONY: test
test: test-deps test-static test-linux test-windows ## everything that a change has to pass

.PHONY: test-deps
test-deps: ## install the programs that tests compare with (tcpdump, tshark, ...)
	scripts/test-deps.sh

.PHONY: test-static
test-static:
	scripts/gofmt.sh
	$(GO) vet ./...
	$(GO) vet -tags soak ./...
	GOOS=windows $(GO) vet ./...

.PHONY: test-linux
test-linux:
	$(GO) test -count=1 -timeout 20m ./...
	$(GO) test -count=1 -timeout 30m -race ./...

.PHONY: test-windows
test-windows: ## the tests of the Windows build, under Wine (as root)
	GO=$(GO) scripts/windows-tests.sh

.PHONY: lint
lint: tools ## golangci-lint (with staticcheck and the import rules) for linux and windows, govulncheck
	GOOS=linux build/tools/golangci-lint run ./...
	GOOS=windows build/tools/golangci-lint run ./...
	scripts/vulncheck.sh build/tools/govulncheck

# The tools of .ci/tools/go.mod. Not by "go tool", which under GOOS=windows
# would build them for Windows.
.PHONY: tools
tools:
	$(GO) build -modfile=.ci/tools/go.mod -o build/tools/ tool

.PHONY: bench
bench: ## all benchmarks (BENCHTIME=1s each)
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 60m ./...

.PHONY: retention
retention: ## what is left of a trace in little memory (TRACE=office, week or a file; BUDGET=10MiB)
	$(GO) run ./internal/retention/simulate -trace "$(TRACE)" -budget $(BUDGET) -out build/retention $(ARGS)
	@echo "The pictures are in build/retention."

.PHONY: docs-retention
docs-retention: ## measure anew what docs/retention.md says (takes minutes)
	$(GO) run ./internal/retention/simulate -update docs/retention.md

.PHONY: fuzz
fuzz: ## every fuzz target for a short time (FUZZTIME=10s each)
	GO=$(GO) scripts/fuzz.sh $(FUZZTIME)

.PHONY: soak
soak: ## the long runs: floods of minutes, gigabyte caches, hours of load
	$(GO) test -count=1 -tags soak -run '^TestSoak' -timeout 12h -v ./...

.PHONY: generate
generate: ## rewrite the files that are made from code (docs/configuration.md, man pages and others)
	$(GO) generate ./...

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf bin build dist cmd/*/*.syso
