package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/packetcache/packetcache/internal/ipc"
)

const (
	// maxHeader caps the request line and the headers together, in bytes;
	// net/http allows itself 4 KiB more.
	maxHeader = 32 << 10
	// headerPatience is how long a client may take over its request.
	headerPatience = 5 * time.Second
	// idlePatience is how long a connection is kept for another request.
	idlePatience = 30 * time.Second
	// answerPatience is how long a client may take to read an answer other
	// than a dump.
	answerPatience = 10 * time.Second
)

// A Service is what stands behind the endpoint. Its methods are called from
// several goroutines at once.
type Service interface {
	// Status describes the service as of now.
	Status(context.Context) (Status, error)
	// Settings tells the settings that the service works with.
	Settings(context.Context) (Settings, error)
	// Plan estimates how far back other budgets would reach.
	Plan(context.Context, PlanRequest) (Plan, error)
	// Dump writes one capture file to w, its header at once, and returns what
	// it wrote; the server itself counts the bytes and adds format and hash. An
	// error before the first write is answered as such; after it, the
	// connection is cut, so that no client takes the part for the whole. ctx
	// ends when the client goes away.
	Dump(ctx context.Context, req DumpRequest, from ipc.Peer, w DumpWriter) (DumpResult, error)
	// Unwrap returns the key of a file that this machine has sealed, whose age
	// header is given; the server wipes it. A *Problem with status 404 says that
	// the key to it is not here.
	Unwrap(ctx context.Context, header []byte, from ipc.Peer) (fileKey []byte, err error)
	// Clear wipes all packets, and the files that hold them.
	Clear(ctx context.Context, from ipc.Peer) (Cleared, error)
}

// A DumpWriter takes the bytes of a capture file. Writes of 256 KiB and more
// go to the connection as they are; small ones cost a system call each.
type DumpWriter interface {
	io.Writer
	// Estimate tells the client about how many bytes will come. It counts
	// only before the first write.
	Estimate(bytes int64)
	// SetWriteDeadline bounds the writes that follow, so that a stalled reader
	// can be given up; the zero time lifts the bound.
	SetWriteDeadline(time.Time) error
}

// A Server answers requests on the control endpoint.
type Server struct {
	service Service
	http    http.Server
	idle    idlers
	dumps   atomic.Int64
	follows follows
	routes  map[string]route
}

// A route is what answers at a path.
type route struct {
	method string
	handle http.HandlerFunc
	// body is the most bytes that the body of the request may have.
	body int64
}

// NewServer makes a server for a service. Failures that neither a client nor
// the service hears of, such as a panic, go to errors; nil discards them.
func NewServer(service Service, errors *log.Logger) *Server {
	if errors == nil {
		errors = log.New(io.Discard, "", 0)
	}
	s := &Server{service: service}
	s.routes = map[string]route{
		"/v1/status":     {method: http.MethodGet, handle: s.status},
		"/v1/interfaces": {method: http.MethodGet, handle: s.interfaces},
		"/v1/settings":   {method: http.MethodGet, handle: s.settings},
		"/v1/plan":       {method: http.MethodGet, handle: s.plan},
		"/v1/dump":       {method: http.MethodGet, handle: s.dump},
		"/v1/dump/end":   {method: http.MethodPost, handle: s.endDump},
		"/v1/clear":      {method: http.MethodPost, handle: s.clear},
		pathUnwrap:       {method: http.MethodPost, handle: s.unwrap, body: MaxAgeHeader},
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	s.http = http.Server{
		Handler:           http.HandlerFunc(s.route),
		Protocols:         protocols,
		ReadHeaderTimeout: headerPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          errors,
		ConnContext:       withPeer,
		ConnState:         s.idle.follow,
	}
	return s
}

// Serve answers clients until Shutdown or Close and then returns nil.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown stops accepting and waits for the answers under way. When ctx ends
// first they are cut off and its error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
	}
	return err
}

// Close cuts off all clients.
func (s *Server) Close() error { return s.http.Close() }

type peerKey struct{}

// withPeer hands who connected to the requests of the connection.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if peer, ok := ipc.PeerOf(c); ok {
		return context.WithValue(ctx, peerKey{}, peer)
	}
	return ctx
}

func peerFrom(ctx context.Context) ipc.Peer {
	if peer, ok := ctx.Value(peerKey{}).(ipc.Peer); ok {
		return peer
	}
	return ipc.Peer{UID: -1, GID: -1}
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	route, ok := s.routes[r.URL.Path]
	// A length that is not told is -1.
	wanted := r.ContentLength == 0 || ok && r.ContentLength > 0 && r.ContentLength <= route.body
	if wanted && r.ContentLength > 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(headerPatience))
	} else if !wanted {
		// net/http would read it off before it answers, for as long as the
		// client likes.
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	}
	switch {
	case !ok:
		(&Problem{
			Status:  http.StatusNotFound,
			Message: "no such path",
			Hint:    "This service answers " + strings.Join(slices.Sorted(maps.Keys(s.routes)), ", ") + ".",
		}).write(w)
	case r.Method != route.method:
		w.Header().Set("Allow", route.method)
		(&Problem{
			Status:  http.StatusMethodNotAllowed,
			Message: "method not allowed",
			Hint:    "Use " + route.method + ".",
		}).write(w)
	case !wanted && route.body > 0:
		badRequest(fmt.Sprintf("the body must have a length of at most %d bytes", route.body), "").write(w)
	case !wanted:
		badRequest("the request has a body", "Put parameters into the query.").write(w)
	default:
		route.handle(w, r)
	}
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	if st, ok := s.ask(w, r); ok {
		writeJSON(w, http.StatusOK, st)
	}
}

func (s *Server) interfaces(w http.ResponseWriter, r *http.Request) {
	if st, ok := s.ask(w, r); ok {
		writeJSON(w, http.StatusOK, Interfaces{Interfaces: st.Interfaces})
	}
}

// ask gets the status for a request that takes no parameters; when it cannot,
// it has answered why.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) (Status, bool) {
	if r.URL.RawQuery != "" {
		badRequest("the path takes no parameters", "").write(w)
		return Status{}, false
	}
	st, err := s.service.Status(r.Context())
	if err != nil {
		problemOf(err).write(w)
		return Status{}, false
	}
	return filled(st), true
}

// filled makes lists that hold nothing empty instead of null.
func filled(st Status) Status {
	st.Horizons = orEmpty(st.Horizons)
	st.Classes = orEmpty(st.Classes)
	st.Retain = append([]RetainRule{}, st.Retain...)
	for i := range st.Retain {
		st.Retain[i].Horizons = orEmpty(st.Retain[i].Horizons)
	}
	st.Coverage = orEmpty(st.Coverage)
	st.Warnings = orEmpty(st.Warnings)
	st.Persistence.SetAside = orEmpty(st.Persistence.SetAside)
	st.Interfaces = append([]Interface{}, st.Interfaces...)
	for i := range st.Interfaces {
		st.Interfaces[i].Addresses = orEmpty(st.Interfaces[i].Addresses)
	}
	if st.Totals.Refused == nil {
		st.Totals.Refused = map[string]uint64{}
	}
	return st
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// problemOf is how an error of the service is told.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return &Problem{Status: http.StatusInternalServerError, Message: err.Error(), Hint: "The service's log may say more."}
}

// writeJSON sends v, indented for those who look at it with curl.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		// Only a time outside years 0 to 9999 or a NaN gets here.
		status = http.StatusInternalServerError
		body = []byte(`{"error": "the answer cannot be written as JSON"}`)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerPatience))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.Copy(w, strings.NewReader(string(body)+"\n"))
}
