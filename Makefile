# Everything below nginx is one static library that unit tests, fuzzers and benchmarks link; the glue
# in src/nginx makes the module of it. BUILD is where all output goes.
BUILD    ?= build
CXX      ?= g++
CCACHE   := $(shell command -v ccache 2>/dev/null)
export CCACHE_NOHASHDIR = 1
OPT      ?= -O2 -g
WARN     ?= -Wall -Wextra -Werror
CXXFLAGS_ALL = -std=c++20 $(OPT) -fPIC -fvisibility=hidden $(WARN) -Isrc -MMD -MP $(SAN) $(CXXFLAGS)
LIBS     = -lcurl -ljq -lsqlite3 -lssl -lcrypto -lcrypt -lz -lunistring

CORE_SRC := $(filter-out src/nginx/%,$(wildcard src/*/*.cpp src/*/*/*.cpp))
CORE_OBJ := $(CORE_SRC:src/%.cpp=$(BUILD)/obj/%.o)
CORE_LIB := $(BUILD)/libauthjs.a

all: lib

lib: $(CORE_LIB)
$(CORE_LIB): $(CORE_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/obj/%.o: src/%.cpp
	@mkdir -p $(@D)
	$(CCACHE) $(CXX) $(CXXFLAGS_ALL) -c $< -o $@

UNIT_SRC := $(wildcard t/unit/*_test.cpp)
UNIT_BIN := $(UNIT_SRC:t/unit/%.cpp=$(BUILD)/unit/%)
unit: $(UNIT_BIN)
	@for t in $(UNIT_BIN); do ./$$t || exit 1; done

$(BUILD)/unit/%: t/unit/%.cpp $(CORE_LIB)
	@mkdir -p $(@D)
	$(CCACHE) $(CXX) $(CXXFLAGS_ALL) -It/unit -c $< -o $@.o
	$(CXX) $(SAN) $@.o $(CORE_LIB) $(LIBS) -lcmocka -lpthread -o $@

-include $(CORE_OBJ:.o=.d) $(UNIT_BIN:=.d)
.PHONY: all lib unit
