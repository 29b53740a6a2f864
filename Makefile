# Everything below nginx is one static library that unit tests, fuzzers and benchmarks link; the glue
# in src/nginx makes the module of it. BUILD is where all output goes; `make help` names the targets.
BUILD    ?= build
export BUILD
export PATH := $(abspath $(BUILD))/node/node_modules/.bin:$(PATH)
CXX      ?= g++
CCACHE   := $(shell command -v ccache 2>/dev/null)
export CCACHE_NOHASHDIR = 1
VERSION  := $(shell cat VERSION)
OPT      ?= -O2 -g
# Warnings are errors for whoever works on the tree, not for whoever builds a release of it.
WARN     ?= -Wall -Wextra $(if $(DEV)$(wildcard .git),-Werror)
HARDEN   ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
CXXFLAGS_ALL = -std=c++20 $(OPT) -fPIC -fvisibility=hidden $(WARN) $(if $(SAN),,$(HARDEN)) -Isrc \
               -DAUTH_JS_VERSION=\"$(VERSION)\" -MMD -MP $(SAN) $(CXXFLAGS)
LIBS     = -lcurl -ljq -lsqlite3 -lssl -lcrypto -lcrypt -lz -lunistring

CORE_SRC := $(filter-out src/nginx/%,$(wildcard src/*/*.cpp src/*/*/*.cpp))
CORE_OBJ := $(CORE_SRC:src/%.cpp=$(BUILD)/obj/%.o) $(BUILD)/obj/providers/catalogue_data.o
CORE_LIB := $(BUILD)/libauthjs.a
GLUE_SRC := $(wildcard src/nginx/*.cpp src/nginx/*/*.cpp)
GLUE_OBJ := $(GLUE_SRC:src/%.cpp=$(BUILD)/obj/%.o)
MODULE   := $(BUILD)/ngx_http_auth_js_module.so

# One short line for each command; V=1 shows it whole.
say = $(if $(V),,@echo "  $(@F)";)
# What an object depends on is asked under the name it was made by; ccache may remember another.
name-target = @sed -i '1s|^[^:]*:|$@:|' $(@:.o=.d)

all: module $(BUILD)/compile_commands.json

help:
	@echo 'make            the module, $(MODULE)'
	@echo 'make run        a demo site with its own provider on 127.0.0.1:8080'
	@echo 'make test       lint, unit, blocks and flows, each also a target of its own'
	@echo 'make install    into $(MODULES_DIR) and beside; DESTDIR= is honoured; make deb: a package'
	@echo 'make bench      what it costs; BENCH_QUICK=1: roughly, BENCH="gate conf": some of it'
	@echo 'make fuzz       libFuzzer over what strangers send, FUZZ_SECONDS=$(FUZZ_SECONDS) for each target'
	@echo 'make deps       what is needed from the distribution (the others call it)'
	@echo 'make vectors    what each provider is sent and what becomes of its answers'
	@echo 'make asan       unit, blocks and flows with sanitizers, nginx as well; make valgrind: some of it'
	@echo 'make docs       docs/providers.md from the catalogue'
	@echo 'make clean      removes $(BUILD)'
	@echo 'NGINX_SRC=dir   an unpacked nginx in place of the distribution'"'"'s; V=1 shows commands'

# --- the core -------------------------------------------------------------------------------------
# Objects depend on the flags that they are made with, by way of a file that changes with them.
FLAGS_NOW := $(CXX) $(CXXFLAGS_ALL)
$(BUILD)/flags: always
	@mkdir -p $(@D)
	@echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' >$@

# `q`, because with `r` two objects of one base name would be one.
lib: $(CORE_LIB)
$(CORE_LIB): $(CORE_OBJ)
	@rm -f $@
	$(say)ar qcs $@ $^

$(BUILD)/obj/%.o: src/%.cpp $(BUILD)/flags | deps-build
	@mkdir -p $(@D)
	$(say)$(CCACHE) $(CXX) $(CXXFLAGS_ALL) -c $< -o $@
	$(name-target)

# Schemas are compiled in, as raw string literals.
$(BUILD)/gen/%.sql.inc: sql/%.sql
	@mkdir -p $(@D)
	@{ printf 'R"sql('; cat $<; printf ')sql"\n'; } > $@
$(BUILD)/obj/adapters/sqlite.o: $(BUILD)/gen/sqlite.sql.inc
$(BUILD)/obj/adapters/sqlite.o: CXXFLAGS_ALL += -I$(BUILD)/gen

# The catalogue is part of the object: one raw string per file of providers/.
CATALOGUE := $(sort $(wildcard providers/*.json))
$(BUILD)/gen/catalogue_data.cpp: $(CATALOGUE) $(wildcard providers)
	@mkdir -p $(@D)
	@{ echo '#include "providers/catalogue_data.hpp"'; \
	   echo 'namespace authjs::providers {'; \
	   echo 'std::span<const embedded_file> embedded_files() noexcept {'; \
	   echo 'static constexpr embedded_file files[] = {'; \
	   for f in $(CATALOGUE); do \
	     printf '{"%s", R"json(' "$$(basename $$f .json)"; cat $$f; echo ')json"},'; done; \
	   echo '}; return files; } }'; } > $@
$(BUILD)/obj/providers/catalogue_data.o: $(BUILD)/gen/catalogue_data.cpp
	@mkdir -p $(@D)
	$(say)$(CCACHE) $(CXX) $(CXXFLAGS_ALL) -c $< -o $@

# --- the module -----------------------------------------------------------------------------------
# nginx's own build makes it (config, config.make), in a tree of links to NGINX_SRC, which is never
# written to: by default the distribution's, with the distribution's flags; else an unpacked nginx.
# That build calls back here for module-library, saying where nginx is and how it is compiled.
NGINX_SRC       ?= /usr/share/nginx/src
NGX_ROOT        ?= $(abspath $(BUILD)/nginx-src)
NGX_INCS        ?= src/core src/event src/event/modules src/os/unix objs src/http src/http/modules \
                   src/http/v2
NGX_CC_OPT      ?=
NGINX_CONFIGURE ?= --with-compat --with-threads --with-http_ssl_module --with-http_v2_module
NGX_INC_DIRS     = $(filter-out -I,$(NGX_INCS))
NGX_CXXFLAGS     = $(foreach d,$(NGX_INC_DIRS),-isystem $(if $(filter /%,$d),$d,$(NGX_ROOT)/$d)) \
                   $(NGX_CC_OPT)

module: $(MODULE)
$(MODULE): $(BUILD)/nginx-src/objs/Makefile $(CORE_LIB) always   # the library here, lest two makes write it
	@$(MAKE) -C $(BUILD)/nginx-src -f objs/Makefile --no-print-directory modules
	@! nm -DCu $(BUILD)/nginx-src/objs/$(@F) | grep authjs::   # nginx would only say so when loading it
	@cmp -s $(BUILD)/nginx-src/objs/$(@F) $@ || { cp $(BUILD)/nginx-src/objs/$(@F) $@.new && mv $@.new $@; }  # a running nginx keeps the old file

$(BUILD)/nginx-src/objs/Makefile: config config.make $(BUILD)/nginx-src.for | deps-build
	rm -rf $(BUILD)/nginx-src && mkdir -p $(BUILD)/nginx-src
	for f in $(realpath $(NGINX_SRC))/*; do \
	    case $${f##*/} in objs|Makefile) ;; *) ln -s $$f $(BUILD)/nginx-src/ ;; esac; done
	cd $(BUILD)/nginx-src && export AUTH_JS_BUILD=$(BUILD) && \
	if [ -f conf_flags ]; then . ./conf_flags; else NGX_CONF_FLAGS=($(NGINX_CONFIGURE)); fi && \
	if [ -f configure ]; then c=./configure; else c=auto/configure; fi && \
	$$c "$${NGX_CONF_FLAGS[@]}" --add-dynamic-module=$(CURDIR) >configure.log 2>&1 || \
	    { tail -20 configure.log; exit 1; }
$(BUILD)/nginx-src/objs/Makefile: SHELL = /bin/bash

# Which nginx the tree is for: rewritten, and so newer, only when that changed.
$(BUILD)/nginx-src.for: always
	@mkdir -p $(BUILD)
	@for f in $(NGINX_SRC)/auto/module; do [ -f $$f ] || { \
	    echo "$(NGINX_SRC) holds no nginx source: give NGINX_SRC=<an unpacked nginx>" >&2; exit 1; }; done
	@echo '$(realpath $(NGINX_SRC)) $(shell nginx -v 2>&1) $(NGINX_CONFIGURE)' | cmp -s - $@ || \
	    echo '$(realpath $(NGINX_SRC)) $(shell nginx -v 2>&1) $(NGINX_CONFIGURE)' >$@

module-library: $(BUILD)/libngx_http_auth_js.a
$(BUILD)/libngx_http_auth_js.a: $(CORE_OBJ) $(GLUE_OBJ)
	@rm -f $@
	$(say)ar qcs $@ $^
$(GLUE_OBJ): $(BUILD)/obj/%.o: src/%.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	$(say)$(CCACHE) $(CXX) $(CXXFLAGS_ALL:-MMD=-MD) $(NGX_CXXFLAGS) -c $< -o $@
	$(name-target)

MODULES_DIR   ?= /usr/lib/nginx/modules
AVAILABLE_DIR ?= /usr/share/nginx/modules-available
MAN_DIR       ?= /usr/share/man
DOC_DIR       ?= /usr/share/doc/libnginx-mod-http-auth-js
install: module
	install -D -m 644 $(MODULE) $(DESTDIR)$(MODULES_DIR)/ngx_http_auth_js_module.so
	install -D -m 644 packaging/mod-http-auth-js.conf $(DESTDIR)$(AVAILABLE_DIR)/mod-http-auth-js.conf
	install -d $(DESTDIR)$(MAN_DIR)/man7 $(DESTDIR)$(DOC_DIR)/examples
	perl packaging/man.pl $(VERSION) $(DOC_DIR) <README.md | gzip -9n >$(DESTDIR)$(MAN_DIR)/man7/nginx-auth-js.7.gz
	install -m 644 README.md docs/providers.md $(DESTDIR)$(DOC_DIR)/
	install -m 644 LICENSE $(DESTDIR)$(DOC_DIR)/copyright
	install -m 644 conf.examples/* sql/*.sql $(DESTDIR)$(DOC_DIR)/examples/

# A Debian package of the module, linked into /etc/nginx/modules-enabled as Debian's own modules are.
# It depends on the very build of nginx that it was made for (nginx-abi-...).
DEB_ARCH = $(shell dpkg --print-architecture)
DEB      = $(BUILD)/libnginx-mod-http-auth-js_$(VERSION)-1_$(DEB_ARCH).deb
deb: module | deps-deb
	@rm -rf $(BUILD)/deb && mkdir -p $(BUILD)/deb/debian $(BUILD)/deb/tree/DEBIAN
	@$(MAKE) --no-print-directory install DESTDIR=$(BUILD)/deb/tree >/dev/null
	@strip --strip-unneeded $(BUILD)/deb/tree$(MODULES_DIR)/*.so
	@gzip -9nc CHANGELOG.md >$(BUILD)/deb/tree$(DOC_DIR)/changelog.gz
	@{ echo 'auth-js ($(VERSION)-1) unstable; urgency=medium'; echo; \
	   echo '  * What changed is in changelog.gz.'; echo; \
	   echo " -- $$(sed -n 's/^Maintainer: //p' packaging/control.in)  $$(date -R -r VERSION)"; } | \
	    gzip -9n >$(BUILD)/deb/tree$(DOC_DIR)/changelog.Debian.gz
	@echo 'Source: auth-js' >$(BUILD)/deb/debian/control
	@set -e; root=$(abspath $(BUILD))/deb/tree; \
	shlibs=$$(cd $(BUILD)/deb && dpkg-shlibdeps -O $$root$(MODULES_DIR)/*.so | sed 's/^shlibs:Depends=//'); \
	abi=$$(dpkg-query -W -f '$${Provides}' nginx | grep -o 'nginx-abi-[^, ]*'); \
	sed "s|@VERSION@|$(VERSION)-1|; s|@ARCH@|$(DEB_ARCH)|; s|@ABI@|$$abi|; s|@SHLIBS@|$$shlibs|; \
	    s|@SIZE@|$$(du -sk $$root | cut -f1)|" packaging/control.in >$$root/DEBIAN/control; \
	install -m 755 packaging/postinst packaging/prerm packaging/postrm $$root/DEBIAN/; \
	(cd $$root && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >$$root/DEBIAN/md5sums
	@dpkg-deb --root-owner-group --build $(BUILD)/deb/tree $(DEB)
	@t/package.sh $(DEB) $(VERSION)
	@lintian --fail-on error,warning --allow-root \
	    --suppress-tags initial-upload-closes-no-bugs $(DEB)  # asks for a bug in Debian's tracker

# For clangd and its kin, which look into build/ by themselves.
$(BUILD)/compile_commands.json: $(CORE_SRC) $(GLUE_SRC) VERSION Makefile
	@mkdir -p $(BUILD)
	@{ echo '['; sep=; for f in $(CORE_SRC) $(GLUE_SRC); do \
	    case $$f in src/nginx/*) ngx='$(NGX_CXXFLAGS)' ;; *) ngx= ;; esac; \
	    printf '%s{"directory": "%s", "file": "%s", "command": "%s"}' "$$sep" '$(CURDIR)' $$f \
	        "$$(printf %s '$(CXX) $(CXXFLAGS_ALL) ' "$$ngx -c $$f" | sed 's/[\\"]/\\&/g')"; \
	    sep=$$(printf ',\n '); done; echo; echo ']'; } >$@

# The demo: a site, a provider with two people, an application behind it. Ctrl-C stops all three.
run: module node_modules/.package-lock.json
	@exec node demo/run.mjs $(MODULE) $(BUILD)/run

# --- what is needed from the distribution ---------------------------------------------------------
deps:
	@t/deps.sh build test
deps-build deps-node deps-test deps-deb:
	@t/deps.sh $(@:deps-%=%)

# --- tests ----------------------------------------------------------------------------------------
patience = timeout --kill-after=10 2400

UNIT_SRC := $(wildcard t/unit/*_test.cpp)
UNIT_BIN := $(UNIT_SRC:t/unit/%.cpp=$(BUILD)/unit/%)
unit-programs: $(UNIT_BIN)
unit: unit-programs
	@failed=; for t in $(UNIT_BIN); do $(patience) ./$$t || failed="$$failed $$t"; done; \
	[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

$(BUILD)/unit/%: t/unit/%.cpp $(CORE_LIB) $(BUILD)/flags | deps-test
	@mkdir -p $(@D)
	$(say)$(CCACHE) $(CXX) $(CXXFLAGS_ALL) -It/unit -c $< -o $@.o
	$(say)$(CXX) $(SAN) $@.o $(CORE_LIB) $(LIBS) -lcmocka -lpthread -o $@

# --- what it costs --------------------------------------------------------------------------------
bench: export AUTH_JS_MODULE = $(abspath $(MODULE))
bench: export AUTH_JS_BENCH = $(abspath $(BUILD)/bench)
bench: module $(BUILD)/bench/load $(BUILD)/bench/tokens | deps-test
	@node t/bench/bench.mjs $(BENCH)
$(BUILD)/bench/%: t/bench/%.cpp $(CORE_LIB)
	@mkdir -p $(@D)
	$(say)$(CXX) $(CXXFLAGS_ALL) $< $(CORE_LIB) $(LIBS) -lpthread -o $@

# --- fuzzing --------------------------------------------------------------------------------------
# `fuzz` runs every target with libFuzzer under AddressSanitizer and UndefinedBehaviorSanitizer,
# FUZZ_SECONDS each; what it finds lands in BUILD/fuzz/found. `fuzz-replay`, a part of `test`, is the
# same targets as ordinary programs over what is kept in t/fuzz/corpus. (-fno-sanitize=function: clang
# 14 cannot assemble its marks on coroutines.)
FUZZ_SECONDS ?= 600
FUZZ_SRC     := $(filter-out t/fuzz/replay.cpp,$(wildcard t/fuzz/*.cpp))
FUZZ_TARGETS ?= $(FUZZ_SRC:t/fuzz/%.cpp=%)
FUZZ_BIN      = $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))
FUZZ_MAIN     = $(if $(FUZZING),-fsanitize=fuzzer,$(BUILD)/fuzz/replay.o)
fuzz_dict     = $(wildcard t/fuzz/$(or $(if $(filter $1,url redirect callback_params form),url),\
    $(if $(filter $1,cookie_header),$1),json).dict)

$(BUILD)/fuzz/%.o: t/fuzz/%.cpp VERSION
	@mkdir -p $(@D)
	$(say)$(CCACHE) $(CXX) $(CXXFLAGS_ALL) -c $< -o $@
$(FUZZ_BIN): $(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(if $(FUZZING),,$(BUILD)/fuzz/replay.o) $(CORE_LIB)
	$(say)$(CXX) $(SAN) $< $(FUZZ_MAIN) $(CORE_LIB) $(LIBS) -lpthread -o $@
fuzz-programs: $(FUZZ_BIN)
fuzz-replay: $(FUZZ_BIN)
	@for t in $(FUZZ_TARGETS); do $(BUILD)/fuzz/$$t t/fuzz/corpus/$$t || exit 1; done

fuzz: | deps-test
	@$(MAKE) fuzz-programs BUILD=$(BUILD)/clang CXX=clang++ WARN= OPT='-O1 -g' FUZZING=1 \
	    SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function -fno-sanitize-recover=undefined'
	@$(foreach t,$(FUZZ_TARGETS),mkdir -p $(BUILD)/fuzz/found $(BUILD)/fuzz/grown/$t && \
	    $(BUILD)/clang/fuzz/$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
	        -max_len=16384 -dict=$(call fuzz_dict,$t) -print_final_stats=0 -verbosity=0 \
	        -artifact_prefix=$(BUILD)/fuzz/found/$t- $(BUILD)/fuzz/grown/$t t/fuzz/corpus/$t && \
	    echo "$t: $(FUZZ_SECONDS) s without a finding" && ) true

# What blocks make session cookies with.
TOKEN := $(BUILD)/tools/token
$(TOKEN): t/tools/token.cpp $(CORE_LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(say)$(CCACHE) $(CXX) $(CXXFLAGS_ALL) -c $< -o $@.o
	$(say)$(CXX) $(SAN) $@.o $(CORE_LIB) $(LIBS) -lpthread -o $@

# Test::Nginx blocks: with the runner in t/lib/runner, or with OpenResty's where that is installed.
PROVE ?= prove
blocks: export TEST_NGINX_LOAD_MODULES = $(abspath $(MODULE))
blocks: export AUTH_JS_TOKEN = $(abspath $(TOKEN))
blocks: module $(TOKEN) | deps-test
ifeq ($(TEST_NGINX),real)
	$(patience) $(PROVE) --norc -It/lib -r t
else
	$(patience) $(PROVE) -j2 -r t
endif

# What flows preload into nginx: a resolver that hangs, names and a clock that change, an SQLite that
# stops where it is told to.
PRELOADED := $(patsubst %,$(BUILD)/tools/%.so,slow_getaddrinfo far_hosts moved_clock halting_sqlite)
$(PRELOADED): $(BUILD)/tools/%.so: t/tools/%.c
	@mkdir -p $(@D)
	$(say)$(CC) -shared -fPIC -O1 -Wall -Wextra $< -o $@ -lsqlite3

# The core, signing people in without nginx (t/flows/profiles.test.mjs).
SIGN_INS := $(BUILD)/tools/sign_ins
$(SIGN_INS): t/tools/sign_ins.cpp $(CORE_LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(say)$(CCACHE) $(CXX) $(CXXFLAGS_ALL) -It/unit -c $< -o $@.o
	$(say)$(CXX) $(SAN) $@.o $(CORE_LIB) $(LIBS) -lcmocka -lpthread -o $@

# Flows: Node's test runner against real providers, hostile ones, and browsers.
FLOWS ?= $(sort $(wildcard t/flows/*.test.mjs))
flows: export AUTH_JS_MODULE = $(abspath $(MODULE))
flows: export AUTH_JS_SIGN_INS = $(abspath $(SIGN_INS))
flows: module $(PRELOADED) $(SIGN_INS) node_modules/.package-lock.json | deps-test
	$(patience) node --test --test-timeout=600000 --test-force-exit $(FLOWS)
node_modules/.package-lock.json: package.json package-lock.json .npmrc | deps-node
	npm ci --no-audit --no-fund
	@touch $@

lint: | deps-test
	@t/lint.sh

# What the real Auth.js did for each provider; VECTORS=folder: another folder of the same form.
VECTORS ?= t/vectors/providers
docs: docs/providers.md
docs/providers.md: docs/providers.mjs $(CATALOGUE)
	node docs/providers.mjs
vectors vectors-selftest: export AUTH_JS_MODULE = $(abspath $(MODULE))
vectors: module node_modules/.package-lock.json | deps-test
	@node t/lib/vectors.mjs $(VECTORS)
vectors-selftest: module node_modules/.package-lock.json | deps-test
	@node t/lib/vectors.mjs --selftest $(VECTORS)

# Everything, in the order in which a mistake is found soonest. Each part ends by itself: `patience`
# is for what hangs.
test: lint unit fuzz-replay blocks flows

# --- sanitizers and valgrind ----------------------------------------------------------------------
# Unit tests, blocks and flows with AddressSanitizer, UndefinedBehaviorSanitizer and leak detection.
# nginx itself is built with them, from the distribution's original tarball: loaded into Debian's
# binary, a preloaded runtime would not see nginx's own reads and writes of our memory. What is not
# checked of undefined behaviour is what nginx's C lives by. A report of any process fails the run.
# (-fsanitize-address-use-odr-indicator: nginx and the module both have an ngx_modules, of two sizes.
# -lcrypt: the runtime in nginx wraps crypt_r() of libraries that are there when it starts.)
ASAN_BUILD = build-asan
ASAN_PARTS ?= unit blocks flows
ASAN       = -fsanitize=address,undefined -fno-sanitize=vptr,function
ASAN_NGINX = -fno-sanitize=alignment,pointer-overflow,nonnull-attribute -g -O1 -fno-omit-frame-pointer \
             -fsanitize-address-use-odr-indicator
ASAN_MAKE  = $(MAKE) $(ASAN_VARS)
ASAN_VARS  = BUILD=$(ASAN_BUILD) CXX=clang++ SAN="$(ASAN)" \
             OPT="-O1 -g -fno-omit-frame-pointer" NGINX_SRC=$(ASAN_BUILD)/nginx \
             NGINX_CONFIGURE='--with-compat --with-debug --with-threads --with-cc=clang \
                 --error-log-path=stderr --http-log-path=/var/log/nginx/access.log \
                 $(patsubst %,--with-http_%_module,ssl v2 auth_request addition slice realip sub \
                                                   random_index stub_status dav) \
                 --with-cc-opt="$(ASAN) $(ASAN_NGINX)" \
                 --with-ld-opt="$(ASAN) -Wl,--no-as-needed -lstdc++ -lcrypt $(abspath $(ASAN_BUILD))/lsan_nginx.o"'
asan: | deps-build deps-test
	t/tools/nginx-source.sh $(ASAN_BUILD)/nginx
	clang -c -O1 -fPIC -Wall -Wextra t/tools/lsan_nginx.c -o $(ASAN_BUILD)/lsan_nginx.o
	+$(ASAN_MAKE) module $(if $(filter unit,$(ASAN_PARTS)),unit-programs)
	+$(ASAN_MAKE) -C $(ASAN_BUILD)/nginx-src -f objs/Makefile --no-print-directory binary
	t/tools/checked.sh asan $(ASAN_BUILD)/checked $(ASAN_BUILD)/nginx-src/objs/nginx \
	    $(ASAN_MAKE) $(ASAN_PARTS)

# The same of the ordinary build by valgrind: unit tests, and nginx through sign-ins. (nouserintercepts:
# a test that counts allocations keeps its own operator new.)
valgrind: module unit-programs node_modules/.package-lock.json | deps-test
	for t in $(UNIT_BIN); do valgrind -q --error-exitcode=9 --leak-check=full \
	    --errors-for-leak-kinds=definite --soname-synonyms=somalloc=nouserintercepts ./$$t || exit; done
	AUTH_JS_MODULE=$(abspath $(MODULE)) t/tools/checked.sh valgrind $(BUILD)/checked nginx \
	    node --test --test-force-exit --test-name-pattern="complete sign-in" t/flows/abort.test.mjs

clean:
	rm -rf build build-asan $(BUILD) t/servroot*

-include $(CORE_OBJ:.o=.d) $(GLUE_OBJ:.o=.d) $(UNIT_BIN:=.d) $(FUZZ_BIN:=.d) $(BUILD)/fuzz/replay.d \
         $(TOKEN).d $(SIGN_INS).d
.PHONY: all asan valgrind help docs vectors vectors-selftest lib module module-library install deb run deps deps-build deps-node deps-test deps-deb unit unit-programs bench fuzz fuzz-programs fuzz-replay blocks flows lint test clean always
always:
