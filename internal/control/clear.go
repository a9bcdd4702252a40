package control

import (
	"context"
	"net/http"
)

// Cleared is the answer to POST /v1/clear.
type Cleared struct {
	// Packets and Bytes were in memory.
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	// Files were removed, with the keys that open them.
	Files []string `json:"files"`
}

func (s *Server) clear(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		badRequest("the path takes no parameters", "").write(w)
		return
	}
	// A client that goes away does not stop it halfway.
	cleared, err := s.service.Clear(context.WithoutCancel(r.Context()), peerFrom(r.Context()))
	if err != nil {
		problemOf(err).write(w)
		return
	}
	cleared.Files = orEmpty(cleared.Files)
	writeJSON(w, http.StatusOK, cleared)
}

// Clear has the service wipe all packets, and the files that hold them.
func (c *Client) Clear(ctx context.Context) (Cleared, error) {
	var cleared Cleared
	err := c.postJSON(ctx, "/v1/clear", nil, &cleared)
	return cleared, err
}
