package filter

import (
	"fmt"
	"math"
)

// lex cuts an expression into tokens, the last of them tokEOF. As in the
// grammar of pcap-filter(7) the longest match wins, and of equal ones
// an address before a number before a keyword before a name.
func lex(expr string) ([]token, error) {
	var toks []token
	for pos := 0; ; {
		for pos < len(expr) && isSpace(expr[pos]) {
			pos++
		}
		if pos == len(expr) {
			return append(toks, token{kind: tokEOF, pos: pos, end: pos}), nil
		}
		tok, err := lexOne(expr, pos)
		if err != nil {
			return nil, err
		}
		toks = append(toks, tok)
		pos = tok.end
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

var operators = map[string]tokenKind{
	"&&": tokAnd, "||": tokOr, ">=": tokGe, "<=": tokLe, "!=": tokNe, "==": tokEq,
	"<<": tokShl, ">>": tokShr,
	"+": tokPlus, "-": tokMinus, "*": tokStar, "/": tokSlash, "%": tokPercent,
	":": tokColon, "[": tokLBracket, "]": tokRBracket, "!": tokNot, "<": tokLt,
	">": tokGt, "(": tokLParen, ")": tokRParen, "&": tokAmp, "|": tokPipe,
	"^": tokHat, "=": tokEq,
}

func lexOne(expr string, pos int) (token, error) {
	rest := expr[pos:]
	mk := func(kind tokenKind, n int) token {
		return token{kind: kind, pos: pos, end: pos + n, text: rest[:n]}
	}
	fail := func(msg, hint string) (token, error) {
		return token{}, &SyntaxError{Expr: expr, Offset: pos, Msg: msg, Hint: hint}
	}

	word := wordLen(rest)
	v6, mac := ipv6Len(rest), macLen(rest)
	switch {
	case v6 > 0 && v6 >= word && v6 >= mac:
		return mk(tokIPv6, v6), nil
	case mac > 0 && mac >= word:
		return mk(tokMAC, mac), nil
	}
	if n := brokenMACLen(rest); n > word {
		return fail(fmt.Sprintf("%q is not an Ethernet address", rest[:n]),
			"it has six parts, as in 00:11:22:aa:bb:cc")
	}
	if n := arcnetLen(rest); n > 0 {
		return mk(tokARCNET, n), nil
	}
	if n := ipv4Len(rest); n > 0 && n >= word {
		return mk(tokIPv4, n), nil
	}
	if n := numberLen(rest); n > 0 && n >= word {
		tok := mk(tokNumber, n)
		v, msg := parseNumber(tok.text)
		if msg != "" {
			return fail(msg, "")
		}
		tok.num = v
		return tok, nil
	}
	if word > 0 {
		tok := mk(tokWord, word)
		if kw, ok := keywords[tok.text]; ok {
			tok.kind, tok.num = kw.kind, kw.num
		}
		return tok, nil
	}
	if rest[0] == '\\' {
		n := 1
		for n < len(rest) && !isEscapeEnd(rest[n]) {
			n++
		}
		if n == 1 {
			return fail("a backslash must stand directly before a name", "")
		}
		tok := mk(tokWord, n)
		tok.text = tok.text[1:]
		return tok, nil
	}
	for n := min(2, len(rest)); n > 0; n-- {
		if kind, ok := operators[rest[:n]]; ok {
			return mk(kind, n), nil
		}
	}
	r := []rune(rest[:min(len(rest), 4)])[0]
	return fail(fmt.Sprintf("%q does not belong in a filter expression", r), "")
}

func isEscapeEnd(c byte) bool {
	return c == ' ' || c == '!' || c == '(' || c == ')' || c == '\n' || c == '\t'
}

// wordLen is the length of the name, keyword or number-like run that s begins
// with: letters, digits and, inside it, dots, dashes and underscores; a dot
// may end it too.
func wordLen(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isAlnum(c), c == '.' && i > 0:
			n = i + 1
		case (c == '-' || c == '_') && i > 0:
		default:
			return n
		}
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }
func isAlnum(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// parseNumber reads what numberLen measured: hexadecimal after 0x, octal
// after 0, else decimal. It returns a message if the number is no good.
func parseNumber(s string) (n uint32, msg string) {
	digits, base := s, uint64(10)
	if len(s) > 1 && s[0] == '0' {
		digits, base = s[1:], 8
		if s[1] == 'x' || s[1] == 'X' {
			digits, base = s[2:], 16
		}
	}
	var v uint64
	for i := 0; i < len(digits); i++ {
		d := uint64(hexValue(digits[i]))
		if d >= base {
			return 0, fmt.Sprintf("%s begins with 0 and so is octal, which has no digit %c", clip(s), digits[i])
		}
		if v = v*base + d; v > math.MaxUint32 {
			return 0, fmt.Sprintf("the number %s does not fit 32 bits", clip(s))
		}
	}
	return uint32(v), ""
}

func hexValue(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// clip keeps quotations of the input in messages short.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
