# SPDX-License-Identifier: GPL-2.0-or-later
#
# Test programs: what each is made of (see `define program` in the Makefile). Each unit test prints TAP.

BASE_C := $(BASE:%=src/%.c)

test_text_SRC := tests/unit/test_text.c $(BASE_C)
test_basis_SRC := tests/unit/test_basis.c src/account/basis.c

UNIT_TESTS := test_text test_basis

$(foreach t,$(UNIT_TESTS),$(eval $(t)_LIB += cmocka))

# Tools of the test bed: no test in themselves.
TEST_TOOLS :=

TEST_PROGRAMS := $(UNIT_TESTS) $(TEST_TOOLS)
.PHONY: test-programs test-tools
test-programs: $(TEST_PROGRAMS:%=$(BUILD)/%)
test-tools: $(TEST_TOOLS:%=$(BUILD)/%)
