package filter

import "strings"

// The functions below return how many bytes at the beginning of s form the
// thing that they are named for, 0 if none do.

// numberLen measures decimal digits, or 0x and hexadecimal ones.
func numberLen(s string) int {
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && isHex(s[2]) {
		n := 3
		for n < len(s) && isHex(s[n]) {
			n++
		}
		return n
	}
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// ipv4Len measures two to four numbers with dots between them.
func ipv4Len(s string) int {
	n := numberLen(s)
	parts := 1
	for n > 0 && parts < 4 && n < len(s) && s[n] == '.' {
		m := numberLen(s[n+1:])
		if m == 0 {
			break
		}
		n += 1 + m
		parts++
	}
	if parts == 1 {
		return 0
	}
	return n
}

// arcnetLen measures $ and one or two hexadecimal digits.
func arcnetLen(s string) int {
	if len(s) < 2 || s[0] != '$' || !isHex(s[1]) {
		return 0
	}
	if len(s) > 2 && isHex(s[2]) {
		return 3
	}
	return 2
}

// hexLen counts hexadecimal digits, at most limit.
func hexLen(s string, limit int) int {
	n := 0
	for n < len(s) && n < limit && isHex(s[n]) {
		n++
	}
	return n
}

// macLen measures an Ethernet address: six parts of one or two digits with
// colons, dashes or dots, three of four digits with dots, or twelve digits.
func macLen(s string) int {
	best := 0
	if hexLen(s, 12) == 12 {
		best = 12
	}
	if len(s) >= 14 && hexLen(s, 4) == 4 && s[4] == '.' && hexLen(s[5:], 4) == 4 &&
		s[9] == '.' && hexLen(s[10:], 4) == 4 {
		best = 14
	}
	for _, sep := range []byte(":-.") {
		n := 0
		for part := range 6 {
			if part > 0 {
				if n == len(s) || s[n] != sep {
					n = 0
					break
				}
				n++
			}
			d := hexLen(s[n:], 2)
			if d == 0 {
				n = 0
				break
			}
			n += d
		}
		best = max(best, n)
	}
	return best
}

// brokenMACLen measures what looks like an Ethernet address with colons but
// is none: two or more parts that each end in a colon.
func brokenMACLen(s string) int {
	n, parts, end := 0, 0, 0
	for {
		d := hexLen(s[n:], 2)
		if d == 0 || n+d == len(s) || s[n+d] != ':' {
			break
		}
		n += d
		for n < len(s) && s[n] == ':' {
			n++
		}
		if parts++; parts > 1 {
			end = n
		}
	}
	return end
}

// maxIPv6Text bounds the search for the longest IPv6 address: no good one is
// longer than 45 bytes.
const maxIPv6Text = 64

// ipv6Len measures an IPv6 address in any of the forms of RFC 4291, section
// 2.2. Whether its numbers are in range is for the caller.
func ipv6Len(s string) int {
	n := 0
	for n < len(s) && n < maxIPv6Text && (isHex(s[n]) || s[n] == ':' || s[n] == '.' || s[n] == 'x' || s[n] == 'X') {
		n++
	}
	if !strings.Contains(s[:n], ":") {
		return 0
	}
	for ; n > 1; n-- {
		if isIPv6(s[:n]) {
			return n
		}
	}
	return 0
}

// isIPv6 says whether all of s is an IPv6 address: eight groups of 16 bits,
// the last two perhaps written as an IPv4 address, or fewer with one "::".
func isIPv6(s string) bool {
	head, tail, gap := strings.Cut(s, "::")
	if !gap {
		n, ok := ipv6Groups(head, true)
		return ok && n == 8
	}
	before, ok1 := ipv6Groups(head, false)
	after, ok2 := ipv6Groups(tail, true)
	return ok1 && ok2 && before+after <= 7
}

func ipv6Groups(s string, v4 bool) (n int, ok bool) {
	if s == "" {
		return 0, true
	}
	for {
		part, rest, more := strings.Cut(s, ":")
		if !more && v4 && strings.Contains(part, ".") {
			return n + 2, ipv4Len(part) == len(part) && strings.Count(part, ".") == 3
		}
		if d := hexLen(part, 5); d == 0 || d > 4 || d < len(part) {
			return 0, false
		}
		n++
		if !more {
			return n, true
		}
		s = rest
	}
}
