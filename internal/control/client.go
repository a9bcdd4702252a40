package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/packetcache/packetcache/internal/ipc"
)

// ErrIncomplete means that a dump ended before all of it had come.
var ErrIncomplete = errors.New("dump incomplete")

const (
	// dialPatience is how long a client waits to be let in.
	dialPatience = 5 * time.Second
	// firstPatience is how long it waits for an answer to begin.
	firstPatience = 30 * time.Second
	// maxAnswer is the longest answer other than a dump, in bytes.
	maxAnswer = 16 << 20
	// dumpBuffer is how much of a dump is read at once, in bytes.
	dumpBuffer = 1 << 20
)

// A Client asks a service on this machine. It is safe for use by several
// goroutines. Errors are ipc.ErrNotRunning, ipc.ErrPermission, a *Problem, or
// say what else went wrong.
type Client struct {
	http http.Client
}

// NewClient returns a client for the endpoint in dir; see ipc.Config.
func NewClient(dir string) *Client {
	return &Client{http: http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialPatience)
			defer cancel()
			return ipc.Dial(ctx, ipc.Control, dir)
		},
		DisableCompression:    true,
		ResponseHeaderTimeout: firstPatience,
		MaxIdleConns:          1,
	}}}
}

// Close gives up connections that are kept for another request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks what the service is doing.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var st Status
	err := c.getJSON(ctx, "/v1/status", nil, &st)
	return st, err
}

// Interfaces asks where packets are recorded.
func (c *Client) Interfaces(ctx context.Context) ([]Interface, error) {
	var answer Interfaces
	err := c.getJSON(ctx, "/v1/interfaces", nil, &answer)
	return answer.Interfaces, err
}

// Settings asks for the settings that the service works with.
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	var answer Settings
	err := c.getJSON(ctx, "/v1/settings", nil, &answer)
	return answer, err
}

func (c *Client) getJSON(ctx context.Context, path string, query url.Values, into any) error {
	return c.askJSON(ctx, http.MethodGet, path, query, nil, into)
}

// postJSON is for what changes something.
func (c *Client) postJSON(ctx context.Context, path string, content []byte, into any) error {
	return c.askJSON(ctx, http.MethodPost, path, nil, content, into)
}

func (c *Client) askJSON(ctx context.Context, method, path string, query url.Values, content []byte, into any) error {
	resp, err := c.send(ctx, method, path, query, content)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %w", path, err)
	}
	return nil
}

// get sends a request that changes nothing; see send.
func (c *Client) get(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	return c.send(ctx, http.MethodGet, path, query, nil)
}

// send sends a request and returns an answer of status 200; its body is the
// caller's to close.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, content []byte) (*http.Response, error) {
	// The host is there because HTTP/1.1 wants one.
	u := url.URL{Scheme: "http", Host: "packetcache", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		// The address that url.Error adds is ours alone and says nothing.
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	problem := Problem{Status: resp.StatusCode}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if json.Unmarshal(body, &problem) != nil || problem.Message == "" {
		problem.Message = fmt.Sprintf("%s: unexpected answer %q", path, resp.Status)
	}
	return nil, &problem
}

// Dump writes a capture file to w as it comes. progress, when set, is called
// after each piece with the bytes so far and about how many there will be, 0
// when the service cannot tell.
//
// Without an error all of it has been written: the service's own count, and
// its hash when asked for, agree. ErrIncomplete means that the service or the
// connection went away. An error of w is returned as it is.
func (c *Client) Dump(ctx context.Context, req DumpRequest, w io.Writer, progress func(done, estimate int64)) (DumpResult, error) {
	query := req.query()
	if req.Follow {
		name := rand.Text()
		query.Set(paramFollow, name)
		ended := make(chan struct{})
		defer close(ended)
		go c.endDump(ctx, name, req.End, ended)
	}
	resp, err := c.get(ctx, "/v1/dump", query)
	if err != nil {
		return DumpResult{}, err
	}
	defer resp.Body.Close()
	estimate, err := strconv.ParseInt(resp.Header.Get(headerEstimate), 10, 64)
	if err != nil || estimate < 0 {
		estimate = 0
	}
	in := &dumpReader{r: resp.Body}
	if req.SHA256 {
		in.sum = sha256.New()
	}
	buf := make([]byte, dumpBuffer)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return DumpResult{}, err
			}
			if progress != nil {
				progress(in.bytes, estimate)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if ctx.Err() != nil {
				return DumpResult{}, context.Cause(ctx)
			}
			return DumpResult{}, fmt.Errorf("%w: the service closed the connection after %d bytes: %w", ErrIncomplete, in.bytes, err)
		}
	}
	return in.check(resp.Trailer.Get(trailerResult))
}

// A dumpReader counts what it passes on.
type dumpReader struct {
	r     io.Reader
	bytes int64
	sum   hash.Hash
}

func (d *dumpReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.bytes += int64(n)
	if d.sum != nil {
		d.sum.Write(p[:n])
	}
	return n, err
}

// check holds what came against what the service says it sent.
func (d *dumpReader) check(trailer string) (DumpResult, error) {
	var result DumpResult
	if err := json.Unmarshal([]byte(trailer), &result); err != nil {
		return DumpResult{}, fmt.Errorf("%w: the service did not say that it sent all (%d bytes came)", ErrIncomplete, d.bytes)
	}
	if result.Bytes != d.bytes {
		return DumpResult{}, fmt.Errorf("%w: %d bytes came, the service sent %d", ErrIncomplete, d.bytes, result.Bytes)
	}
	if d.sum == nil {
		return result, nil
	}
	if sum := hex.EncodeToString(d.sum.Sum(nil)); result.SHA256 != sum {
		return DumpResult{}, fmt.Errorf("%w: the bytes that came hash to SHA-256 %s, those sent to %q", ErrIncomplete, sum, result.SHA256)
	}
	return result, nil
}
