package filter

import (
	"fmt"
	"strings"

	"github.com/packetcache/packetcache/internal/packet"
)

// A SyntaxError says that an expression is wrong whatever the link type: it
// does not follow the grammar, or its words do not fit together ("tcp host").
type SyntaxError struct {
	// Expr is the expression as it was given.
	Expr string
	// Offset is where in Expr the error was noticed, in bytes from 0; it is
	// len(Expr) when the expression ends too early.
	Offset int
	// Msg says what is wrong there.
	Msg string
	// Hint says what would be right; it may be empty.
	Hint string
}

// Error gives the message, the place, counted from 1, and the hint.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("position %d: %s", e.Offset+1, e.Msg)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Caret returns two lines for a terminal: the line of the expression that has
// the error in it, and a caret below the place.
func (e *SyntaxError) Caret() string {
	off := min(max(e.Offset, 0), len(e.Expr))
	start := strings.LastIndexByte(e.Expr[:off], '\n') + 1
	end := len(e.Expr)
	if i := strings.IndexByte(e.Expr[off:], '\n'); i >= 0 {
		end = off + i
	}
	// Tabs and control characters would put the caret in the wrong column.
	plain := func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}
	line := strings.Map(plain, e.Expr[start:end])
	column := len([]rune(e.Expr[start:off]))
	return line + "\n" + strings.Repeat(" ", column) + "^"
}

// A LinkTypeError says that an expression, though well formed, cannot be
// applied to packets of this link type, as when "vlan" is asked of raw IP, or
// that it can never match one.
type LinkTypeError struct {
	// Expr is the expression as it was given.
	Expr string
	// Offset is where in Expr the word stands that does not fit, in bytes
	// from 0, or -1 if the expression as a whole does not fit.
	Offset int
	// LinkType is the link type that was compiled for.
	LinkType packet.LinkType
	// Reason says what does not fit.
	Reason string
}

// Error names the link type and the reason.
func (e *LinkTypeError) Error() string {
	return fmt.Sprintf("filter %q cannot be used on link type %s: %s",
		e.Expr, e.LinkType, e.Reason)
}
