#!/usr/bin/env bats
# scripts/parts: counting, and what has failed once more.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	# Not to be taken for tests of this file.
	sed 's/^TEST/@test/' >some.bats <<-'END'
		TEST "good (a|b)" {
			true
		}
		TEST "the second time [x] 5.0 %: fine, is it? (yes)" {
			[ -e flag ] || {
				touch flag
				false
			}
		}
		TEST "bad + 1" {
			false
		}
		TEST "not here" {
			skip "why"
		}
	END
}

# count: as scripts/check does it, in an environment that knows of no bats.
count() {
	# shellcheck disable=SC2016 # for the other shell
	run env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$HOME" NB_ONCE="${NB_ONCE:-}" bash -c \
		'. "$1/scripts/parts"; RECORD=record RECORD_AS="a b"
		: >record
		part some bats --tap some.bats
		cat record
		tell_failed
		echo "$passed passed, $failed failed, $skipped skipped"' bash \
		"$BATS_TEST_DIRNAME/../.."
	echo "$output"
}

@test "what fails runs once more; both are shown" {
	count
	[[ $output == *"1 passed, 2 FAILED, 1 skipped"* ]]
	[[ $output == *"not ok 2 the second time"* ]]
	[[ $output == *"passed the second time: the second time [x]"* ]]
	[ "${lines[-1]}" = "2 passed, 1 failed, 1 skipped" ]
}

@test "what failed twice is named at the end, with what it said" {
	count
	[ "${lines[-4]}" = "failed: some: bad + 1" ]
	[[ ${lines[-3]} == "    # (in test file "*"some.bats, line 11)" ]]
	[[ ${lines[-2]} == *"\`false' failed" ]]
	[ "$(grep -c '^failed: ' <<<"$output")" = 1 ]
	grep -P '^a b\tsome\t2 1 1 [0-9]+\t$' record
}

@test "NB_ONCE=1: it does not" {
	NB_ONCE=1 count
	[[ $output == *"not ok 2 the second time"* ]]
	[ "${lines[-1]}" = "1 passed, 2 failed, 1 skipped" ]
}

@test "what is skipped the second time has not passed" {
	sed 's/^TEST/@test/' >some.bats <<-'END'
		TEST "skipped later" {
			[ ! -e flag ] || skip "why"
			touch flag
			false
		}
	END
	count
	[[ $output != *"passed the second time"* ]]
	[ "${lines[-1]}" = "0 passed, 1 failed, 0 skipped" ]
}
