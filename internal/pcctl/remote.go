package pcctl

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/control"
)

const (
	// flagUntilEOF ends a dump that follows with standard input: it is how the
	// pcctl at this end of ssh ends the one at the other.
	flagUntilEOF = "until-eof"
	// maxSaid is how much is kept of what ssh and the other pcctl say, in bytes.
	maxSaid = 64 << 10
)

// A remote is another machine whose cache is read.
type remote struct {
	host, user string
	ssh        []string // the program and its options
	pcctl      string   // a command of the other machine's shell
	bySSH      bool     // asked for
	said       io.Writer
}

// remoteHost reads the options about another machine; nil without them.
func remoteHost(c *cli.Context) (*remote, error) {
	r := &remote{
		host: c.String("remote"), user: c.String("user"), ssh: strings.Fields(c.String("ssh")),
		pcctl: c.String("remote-pcctl"), bySSH: c.IsSet("ssh"), said: c.App.ErrWriter,
	}
	switch {
	case !c.IsSet("remote"):
		for _, name := range []string{"user", "ssh", "remote-pcctl"} {
			if c.IsSet(name) {
				return nil, fmt.Errorf("--%s is of no use without --remote", name)
			}
		}
		return nil, nil
	case r.host == "" || strings.HasPrefix(r.host, "-") || strings.HasPrefix(r.user, "-"):
		return nil, fmt.Errorf("--remote: %q is no host", r.host)
	case len(r.ssh) == 0:
		return nil, errors.New("--ssh: no program is named")
	}
	return r, nil
}

// name is the host's in the names of files.
func (r *remote) name() string { return r.host[strings.LastIndexByte(r.host, '@')+1:] }

// remoteWords is the command line of pcctl on the other machine. What it says is
// JSON, a line each: about how much will come, and the result.
func remoteWords(req control.DumpRequest) []string {
	words := []string{"dump", "--json", "-w", "-", "--format", string(req.Format)}
	add := func(name, value string, given bool) {
		if given {
			words = append(words, "--"+name, value)
		}
	}
	add("since", req.Since.Format(time.RFC3339Nano), !req.Since.IsZero())
	add("until", req.Until.Format(time.RFC3339Nano), !req.Until.IsZero())
	add("last", req.Last.String(), req.Last != 0)
	add("filter", req.Filter, req.Filter != "")
	add("limit", strconv.FormatInt(req.Limit, 10), req.Limit != 0)
	if req.Follow {
		words = append(words, "--follow", "--"+flagUntilEOF)
	}
	return words
}

// arguments are those of ssh.
func (r *remote) arguments(req control.DumpRequest) []string {
	args := append([]string{}, r.ssh[1:]...)
	args = append(args, "-T")
	if r.user != "" {
		args = append(args, "-l", r.user)
	}
	command := r.pcctl
	for _, word := range remoteWords(req) {
		command += " " + shellWord(word)
	}
	return append(args, "--", r.host, command)
}

// Dump reads a dump from the other machine through ssh. Its errors are as those of
// control.Client, or a *remoteError.
func (r *remote) Dump(ctx context.Context, req control.DumpRequest, w io.Writer, progress func(done, estimate int64)) (control.DumpResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := sshCommand(ctx, req.Follow, r.ssh[0], r.arguments(req))
	cmd.WaitDelay = 5 * time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return control.DumpResult{}, err
	}
	sum := sha256.New()
	words := &remoteVoice{}
	in := &remoteStream{to: io.MultiWriter(w, sum), progress: progress, estimate: words.estimate}
	cmd.Stdout, cmd.Stderr = in, words
	if !req.Follow {
		_ = stdin.Close()
	} else {
		defer context.AfterFunc(channelContext(ctx, req.End), func() {
			_ = stdin.Close() // that is the end there
			if in.bytes() == 0 {
				cancel() // it may still be asking for a password
			}
		})()
	}
	if err := cmd.Start(); err != nil {
		return control.DumpResult{}, withHint(fmt.Errorf("start %s: %w", r.ssh[0], err), "install an ssh client, or name one with --ssh.")
	}
	err = cmd.Wait()
	if in.err != nil {
		return control.DumpResult{}, in.err // of this end's file
	}
	if ctx.Err() != nil {
		return control.DumpResult{}, context.Cause(ctx)
	}
	if err != nil {
		return control.DumpResult{}, r.explain(err, words, in.bytes())
	}
	result, text := words.result()
	if text != "" {
		fmt.Fprintln(r.said, clean(text))
	}
	if result == nil || result.Bytes != in.bytes() || result.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
		return control.DumpResult{}, fmt.Errorf("%w: what came from %s, %d bytes, is not what was sent there", control.ErrIncomplete, r.host, in.bytes())
	}
	return *result, nil
}

// channelContext is ended when a channel is closed.
func channelContext(ctx context.Context, end <-chan struct{}) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		select {
		case <-end:
		case <-ctx.Done():
		}
	}()
	return ctx
}

// A remoteStream takes the dump.
type remoteStream struct {
	to       io.Writer
	progress func(done, estimate int64)
	estimate func() int64
	mu       sync.Mutex
	done     int64
	err      error // of the file at this end
}

func (s *remoteStream) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.mu.Lock()
	s.done += int64(n)
	done := s.done
	s.mu.Unlock()
	if err != nil {
		s.err = err
		return n, err
	}
	s.progress(done, s.estimate())
	return n, nil
}

func (s *remoteStream) bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// A remoteVoice collects what is said there.
type remoteVoice struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (v *remoteVoice) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said.Write(p[:min(len(p), max(0, maxSaid-v.said.Len()))])
	return len(p), nil
}

// each calls do with each line: the object that it is, or nil, and its text.
func (v *remoteVoice) each(do func(object *remoteLine, text string)) {
	v.mu.Lock()
	text := v.said.String()
	v.mu.Unlock()
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		object := new(remoteLine)
		if !strings.HasPrefix(lines.Text(), "{") || json.Unmarshal(lines.Bytes(), object) != nil {
			object = nil
		}
		do(object, strings.TrimRight(lines.Text(), "\r"))
	}
}

// A remoteLine is what pcctl says with --json beside a dump.
type remoteLine struct {
	Estimated *int64 `json:"estimated_bytes"`
	control.DumpResult
}

func (v *remoteVoice) estimate() (bytes int64) {
	v.each(func(object *remoteLine, _ string) {
		if object != nil && object.Estimated != nil {
			bytes = *object.Estimated
		}
	})
	return bytes
}

// result is what the pcctl there said of the whole, nil if it did not, and all
// else that was said.
func (v *remoteVoice) result() (result *control.DumpResult, text string) {
	var others []string
	v.each(func(object *remoteLine, text string) {
		switch {
		case object == nil:
			others = append(others, text)
		case object.SHA256 != "":
			result = &object.DumpResult
		}
	})
	return result, strings.Join(others, "\n")
}

// estimateOnce says about how much will come, for the pcctl at the other end.
func estimateOnce(w io.Writer) func(done, estimate int64) {
	said := false
	return func(_, estimate int64) {
		if !said && estimate > 0 {
			fmt.Fprintf(w, "{\"estimated_bytes\":%d}\n", estimate)
		}
		said = true
	}
}

// untilEOF ends with ctx, or with what can be read.
func untilEOF(ctx context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, r)
		cancel()
	}()
	return ctx
}

// A remoteError is why there is no dump of another machine.
type remoteError struct {
	code    int
	message string
	hint    string
	detail  []string
}

func (e *remoteError) Error() string { return e.message }

// explain makes the error of an ssh that failed.
func (r *remote) explain(err error, words *remoteVoice, came int64) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", r.ssh[0], err)
	}
	e := &remoteError{code: exitFailed}
	_, text := words.result()
	lines := strings.Split(text, "\n")
	for _, line := range lines {
		message, isMessage := strings.CutPrefix(line, "pcctl dump: ")
		hint, isHint := strings.CutPrefix(line, "Hint: ")
		switch {
		case isMessage:
			e.message = r.host + ": " + message
		case isHint:
			e.hint = "on " + r.host + ": " + hint
		case e.message != "" && strings.HasPrefix(line, "  "): // where in the filter
			e.detail = append(e.detail, line)
		}
	}
	code := exit.ExitCode()
	last := lines[len(lines)-1]
	switch {
	case e.message != "" && code >= exitFailed && code <= exitNotPermitted:
		e.code = code
	case e.message != "":
	case came > 0:
		e.message = fmt.Sprintf("the connection to %s broke after %d bytes; %s", r.host, came, last)
		e.hint = "nothing was kept; run it again."
	case code == 127:
		e.message = fmt.Sprintf("%s: %s", r.host, last)
		e.hint = "install PacketCache there, or say where its pcctl is: --remote-pcctl /opt/packetcache/pcctl, with sudo --remote-pcctl \"sudo -n /opt/packetcache/pcctl\"."
	default:
		e.message = fmt.Sprintf("%s: %s", r.host, last)
		e.hint = fmt.Sprintf("see whether \"%s %s\" logs on; --user and --ssh say how.", strings.Join(r.ssh, " "), r.host)
	}
	return e
}

// shellWord quotes for sh(1).
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
