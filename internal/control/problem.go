package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/ipc"
)

// A Problem is an error as the endpoint tells it. A Service returns one to
// choose the status; any other error becomes a 500.
type Problem struct {
	// Status is the HTTP status, from 400 on.
	Status int `json:"-"`
	// Message says what went wrong, in one sentence without a full stop.
	Message string `json:"error"`
	// Hint says what to do about it, in whole sentences; may be empty.
	Hint string `json:"hint,omitempty"`
	// Position is where in the filter expression the error is, in bytes from
	// 0; nil for other errors.
	Position *int `json:"position,omitempty"`
}

// BadFilter is the Problem of a filter expression that cannot be used.
// position is in bytes from 0, negative when the whole expression is meant.
func BadFilter(message string, position int) *Problem {
	p := badRequest("filter: "+message, "The language is that of tcpdump, see the man page pcap-filter(7).")
	if position >= 0 {
		p.Position = &position
	}
	return p
}

// FilterProblem is the Problem that an error of the package filter comes to.
func FilterProblem(err error) *Problem {
	var syntax *filter.SyntaxError
	if errors.As(err, &syntax) {
		message := syntax.Msg
		if syntax.Hint != "" {
			message += " (" + syntax.Hint + ")"
		}
		return BadFilter(message, syntax.Offset)
	}
	var linkType *filter.LinkTypeError
	if errors.As(err, &linkType) {
		return BadFilter(linkType.Error(), linkType.Offset)
	}
	return BadFilter(err.Error(), -1)
}

func badRequest(message, hint string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Message: message, Hint: hint}
}

// Error is the message.
func (p *Problem) Error() string { return p.Message }

// Is makes a 403 an ipc.ErrPermission, so that callers need not know which
// lock turned them away.
func (p *Problem) Is(target error) bool {
	return target == ipc.ErrPermission && p.Status == http.StatusForbidden
}

// write sends the problem as the answer.
func (p *Problem) write(w http.ResponseWriter) {
	writeJSON(w, p.Status, p)
}

// Refusal is what a client hears that may not connect; see ipc.Config.
func Refusal() []byte {
	body, err := json.Marshal(&Problem{
		Message: "this account may not use the control endpoint",
		Hint:    "Use sudo, or join the group that the service was told to admit.",
	})
	if err != nil {
		panic(err) // a struct of strings always encodes
	}
	return fmt.Appendf(nil, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
}
