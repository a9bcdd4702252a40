package control

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// maxName is the longest name of a dump that follows, in bytes.
const maxName = 64

// follows are the dumps that follow, by the names that their clients gave them.
type follows struct {
	mu    sync.Mutex
	named map[string]chan struct{}
}

// begin returns what is closed when the dump is to end; it reports false if the
// name does not do.
func (f *follows) begin(name string) (end <-chan struct{}, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, taken := f.named[name]; taken || name == "" || len(name) > maxName {
		return nil, false
	}
	if f.named == nil {
		f.named = map[string]chan struct{}{}
	}
	c := make(chan struct{})
	f.named[name] = c
	return c, true
}

// end has a dump end, and reports whether there is one of the name.
func (f *follows) end(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.named[name]
	if ok && c != nil {
		close(c)
		f.named[name] = nil // it may take a while to end, and is ended once
	}
	return ok
}

func (f *follows) forget(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.named, name)
}

// Ended is the answer to /v1/dump/end.
type Ended struct{}

// endDump has a dump that follows come to its end: what there is of it is sent,
// and then the result.
func (s *Server) endDump(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(q) != 1 || len(q[paramFollow]) != 1 {
		badRequest("the one parameter is follow, the name of a dump", "").write(w)
		return
	}
	if !s.follows.end(q.Get(paramFollow)) {
		(&Problem{Status: http.StatusNotFound, Message: "no dump of that name follows", Hint: "It may have ended."}).write(w)
		return
	}
	writeJSON(w, http.StatusOK, Ended{})
}

// endDump asks the service to end a dump when end is closed, until that has ended.
// It can be too early, or the service busy, so it asks until it is told that
// there is none.
func (c *Client) endDump(ctx context.Context, name string, end, ended <-chan struct{}) {
	select {
	case <-end:
	case <-ended:
		return
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		var answer Ended
		if err := c.askJSON(ctx, http.MethodPost, "/v1/dump/end", url.Values{paramFollow: {name}}, nil, &answer); err == nil {
			return
		}
		select {
		case <-ended:
			return
		case <-again.C:
		}
	}
}
