package pcctl

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/service"
)

// The exit codes, the same for every command.
const (
	exitOK           = 0
	exitFailed       = 1
	exitUsage        = 2
	exitUnreachable  = 3
	exitNotPermitted = 4
)

// A usageProblem is a command line that cannot be understood.
type usageProblem struct {
	command string
	err     error
}

func (p *usageProblem) Error() string { return p.err.Error() }
func (p *usageProblem) Unwrap() error { return p.err }

// A hinted error says what to do about it.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

func withHint(err error, hint string) error { return &hinted{err: err, hint: hint} }

// A commandError is an error with the name of the command that met it.
type commandError struct {
	command string
	err     error
}

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// A filtered error is one of a command that was given a filter expression, which may
// be what is wrong.
type filtered struct {
	filter string
	err    error
}

func (f *filtered) Error() string { return f.err.Error() }
func (f *filtered) Unwrap() error { return f.err }

func inCommand(command string, err error) error {
	var known *commandError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &commandError{command, err}
}

// report tells the user what went wrong and what to do, and returns the exit
// code.
func report(w io.Writer, err error) int {
	var told *silentError
	if errors.As(err, &told) {
		return told.code
	}
	name := "pcctl"
	var wrong *usageProblem
	var in *commandError
	switch {
	case errors.As(err, &wrong) && wrong.command != "":
		name += " " + wrong.command
	case errors.As(err, &in):
		name += " " + in.command
	}
	code, hint := classify(err, name)
	// Some errors name the command themselves.
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ") // of errors that were joined
	fmt.Fprintf(w, "%s: %s\n", name, strings.TrimPrefix(clean(text), name+": "))
	var problem *control.Problem
	var given *filtered
	if errors.As(err, &problem) && problem.Position != nil && errors.As(err, &given) && given.filter != "" {
		writeCaret(w, given.filter, *problem.Position)
	}
	var remote *remoteError
	if errors.As(err, &remote) {
		for _, line := range remote.detail {
			fmt.Fprintln(w, clean(line))
		}
	}
	if hint != "" {
		fmt.Fprintf(w, "Hint: %s\n", clean(hint))
	}
	return code
}

// classify chooses the exit code and, where the error brings none itself, the
// hint.
func classify(err error, name string) (code int, hint string) {
	var given *hinted
	if errors.As(err, &given) {
		hint = given.hint
	}
	var problem *control.Problem
	if errors.As(err, &problem) && hint == "" {
		hint = problem.Hint
	}
	otherwise := func(code int, text string) (int, string) {
		if hint == "" {
			hint = text
		}
		return code, hint
	}
	var wrong *usageProblem
	var remote *remoteError
	switch {
	case errors.As(err, &remote):
		return otherwise(remote.code, remote.hint)
	case errors.As(err, &wrong):
		return otherwise(exitUsage, fmt.Sprintf("see %q.", name+" --help"))
	case errors.Is(err, ipc.ErrNotRunning):
		return otherwise(exitUnreachable, hintNotRunning)
	case errors.Is(err, ipc.ErrPermission), errors.Is(err, service.ErrPermission):
		return otherwise(exitNotPermitted, hintNotPermitted)
	case problem != nil && problem.Status == http.StatusBadRequest:
		return otherwise(exitUsage, "")
	case errors.Is(err, control.ErrIncomplete):
		return otherwise(exitFailed, "the service may have been stopped, or given up a reader that stalled: see its log, then try again.")
	}
	return otherwise(exitFailed, "")
}

// writeCaret shows where in a filter expression the error is.
func writeCaret(w io.Writer, filter string, position int) {
	shown := clean(filter)
	at := clean(filter[:min(max(position, 0), len(filter))])
	fmt.Fprintf(w, "  %s\n  %s^\n", shown, strings.Repeat(" ", uniseg.StringWidth(at)))
}
