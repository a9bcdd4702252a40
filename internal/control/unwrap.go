package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

const (
	// pathUnwrap is asked by POST.
	pathUnwrap = "/v1/unwrap"
	// MaxAgeHeader is the longest header of a sealed file that is taken, in bytes.
	MaxAgeHeader = 16 << 10
)

// An Unwrapped is the answer to POST /v1/unwrap, whose body is the age header of
// a sealed file.
type Unwrapped struct {
	// FileKey opens the file, and no other. In JSON it is base64.
	FileKey []byte `json:"file_key"`
}

func (s *Server) unwrap(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		badRequest("the path takes no parameters", "").write(w)
		return
	}
	header, err := io.ReadAll(r.Body)
	if err != nil {
		badRequest("the header cannot be read: "+err.Error(), "").write(w)
		return
	}
	key, err := s.service.Unwrap(r.Context(), header, peerFrom(r.Context()))
	if err != nil {
		problemOf(err).write(w)
		return
	}
	defer clear(key)
	writeJSON(w, http.StatusOK, Unwrapped{key})
}

// Unwrap asks the service for the key of a file that it has sealed itself, whose
// age header is given. A *Problem with status 404 says that the service has no
// key for it.
func (c *Client) Unwrap(ctx context.Context, header []byte) (fileKey []byte, err error) {
	resp, err := c.send(ctx, http.MethodPost, pathUnwrap, nil, header)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	defer clear(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pathUnwrap, err)
	}
	var answer Unwrapped
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%s: the answer cannot be read: %w", pathUnwrap, err)
	}
	return answer.FileKey, nil
}
