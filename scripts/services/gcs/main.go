// heurpipe-gcs: fake-gcs-server (JSON API) plus the part of the XML API that object_store speaks,
// over the same objects: put, get, range, list v2, copy, delete, multipart, preconditions.
package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

type upload struct {
	bucket, name string
	attrs        fakestorage.ObjectAttrs
	parts        map[int][]byte
}

type srv struct {
	s    *fakestorage.Server
	h    http.Handler
	host string
	mu   sync.Mutex
	ups  map[string]*upload
	seq  int
}

func xerr(w http.ResponseWriter, code int, c, msg string) {
	w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
	w.WriteHeader(code)
	fmt.Fprintf(w, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>%s</Message></Error>", c, msg)
}

func xout(w http.ResponseWriter, v any) {
	b, err := xml.Marshal(v)
	if err != nil {
		xerr(w, 500, "InternalError", "marshal")
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
	w.Write([]byte(xml.Header))
	w.Write(b)
}

func etag(md5b64 string) string {
	b, _ := base64.StdEncoding.DecodeString(md5b64)
	return `"` + hex.EncodeToString(b) + `"`
}

func heads(w http.ResponseWriter, o fakestorage.ObjectAttrs) {
	h := w.Header()
	h.Set("ETag", etag(o.Md5Hash))
	h.Set("x-goog-generation", strconv.FormatInt(o.Generation, 10))
	h.Set("x-goog-metageneration", "1")
	h.Set("x-goog-hash", "crc32c="+o.Crc32c)
	h.Add("x-goog-hash", "md5="+o.Md5Hash)
}

func attrsOf(h http.Header, bucket, name string) fakestorage.ObjectAttrs {
	a := fakestorage.ObjectAttrs{BucketName: bucket, Name: name, ContentType: h.Get("Content-Type"), ContentEncoding: h.Get("Content-Encoding"),
		ContentDisposition: h.Get("Content-Disposition"), ContentLanguage: h.Get("Content-Language"), CacheControl: h.Get("Cache-Control"), Metadata: map[string]string{}}
	for k, v := range h {
		if l := strings.ToLower(k); strings.HasPrefix(l, "x-goog-meta-") {
			a.Metadata[strings.TrimPrefix(l, "x-goog-meta-")] = v[0]
		}
	}
	return a
}

// put stores an object if the precondition holds; the caller holds mu.
func (s *srv) put(w http.ResponseWriter, r *http.Request, a fakestorage.ObjectAttrs, body []byte) (fakestorage.ObjectAttrs, bool) {
	if _, err := s.s.Backend().GetBucket(a.BucketName); err != nil {
		xerr(w, 404, "NoSuchBucket", "The specified bucket does not exist.")
		return a, false
	}
	if !s.cond(w, r, a.BucketName, a.Name) {
		return a, false
	}
	if err := s.s.CreateObjectStreaming(fakestorage.Object{ObjectAttrs: a, Content: body}.StreamingObject()); err != nil {
		xerr(w, 500, "InternalError", "create")
		return a, false
	}
	o, err := s.s.GetObject(a.BucketName, a.Name)
	if err != nil {
		xerr(w, 500, "InternalError", "read back")
		return a, false
	}
	heads(w, o.ObjectAttrs)
	return o.ObjectAttrs, true
}

func (s *srv) cond(w http.ResponseWriter, r *http.Request, bucket, name string) bool {
	want := r.Header.Get("x-goog-if-generation-match")
	if want == "" {
		return true
	}
	cur := "0"
	if o, err := s.s.GetObject(bucket, name); err == nil {
		cur = strconv.FormatInt(o.Generation, 10)
	}
	if cur != want {
		xerr(w, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
		return false
	}
	return true
}

type content struct {
	Key, Generation, MetaGeneration, LastModified, ETag string
	Size                                                int64
}
type prefix struct{ Prefix string }
type listResult struct {
	XMLName                                                     xml.Name `xml:"ListBucketResult"`
	Name, Prefix, Delimiter, NextContinuationToken, NextMarker string
	KeyCount, MaxKeys                                           int
	IsTruncated                                                 bool
	Contents                                                    []content
	CommonPrefixes                                              []prefix
}

func (s *srv) list(w http.ResponseWriter, r *http.Request, bucket string) {
	q := r.URL.Query()
	if _, err := s.s.Backend().GetBucket(bucket); err != nil {
		xerr(w, 404, "NoSuchBucket", "The specified bucket does not exist.")
		return
	}
	objs, _, err := s.s.ListObjectsWithOptions(bucket, fakestorage.ListOptions{Prefix: q.Get("prefix")})
	if err != nil {
		xerr(w, 500, "InternalError", "list")
		return
	}
	max, _ := strconv.Atoi(q.Get("max-keys"))
	if max <= 0 || max > 1000 {
		max = 1000
	}
	after := q.Get("start-after")
	if m := q.Get("marker"); m != "" {
		after = m
	}
	if t := q.Get("continuation-token"); t != "" {
		b, _ := base64.URLEncoding.DecodeString(t)
		after = string(b)
	}
	sort.Slice(objs, func(i, j int) bool { return objs[i].Name < objs[j].Name })
	res := listResult{Name: bucket, Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), MaxKeys: max}
	last, lastPrefix := "", ""
	for _, o := range objs {
		key := o.Name
		cp := ""
		if d := res.Delimiter; d != "" {
			if i := strings.Index(key[len(res.Prefix):], d); i >= 0 {
				cp = key[:len(res.Prefix)+i+len(d)]
			}
		}
		if key <= after || (cp != "" && (cp == lastPrefix || (cp <= after && strings.HasPrefix(after, cp)))) {
			continue
		}
		if res.KeyCount == max {
			res.IsTruncated, res.NextMarker = true, last
			res.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(last))
			break
		}
		res.KeyCount++
		if cp != "" {
			lastPrefix, last = cp, cp
			res.CommonPrefixes = append(res.CommonPrefixes, prefix{cp})
			continue
		}
		last = key
		res.Contents = append(res.Contents, content{Key: key, Generation: strconv.FormatInt(o.Generation, 10), MetaGeneration: "1",
			LastModified: o.Updated.UTC().Format("2006-01-02T15:04:05.000Z"), ETag: etag(o.Md5Hash), Size: o.Size})
	}
	xout(w, res)
}

func (s *srv) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := r.URL.EscapedPath()
	for _, pre := range []string{"/storage/v1", "/upload/", "/download/", "/batch/", "/_internal/", "/b/"} {
		if strings.HasPrefix(p, pre) {
			r.Host = s.host
			s.h.ServeHTTP(w, r)
			return
		}
	}
	be, ne, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	bucket, err1 := url.PathUnescape(be)
	name, err2 := url.PathUnescape(ne)
	if bucket == "" || err1 != nil || err2 != nil {
		xerr(w, 400, "InvalidURI", "bad path")
		return
	}
	q := r.URL.Query()
	id := q.Get("uploadId")
	if name == "" {
		switch r.Method {
		case "GET":
			s.list(w, r, bucket)
		case "PUT":
			if _, err := s.s.Backend().GetBucket(bucket); err == nil {
				xerr(w, 409, "BucketAlreadyOwnedByYou", "exists")
				return
			}
			s.s.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: bucket})
		case "HEAD":
			if _, err := s.s.Backend().GetBucket(bucket); err != nil {
				w.WriteHeader(404)
			}
		default:
			xerr(w, 405, "MethodNotAllowed", "method")
		}
		return
	}
	switch {
	case r.Method == "GET" || r.Method == "HEAD":
		o, err := s.s.GetObject(bucket, name)
		if err != nil {
			xerr(w, 404, "NoSuchKey", "The specified key does not exist.")
			return
		}
		if g := q.Get("generation"); g != "" && g != strconv.FormatInt(o.Generation, 10) {
			xerr(w, 404, "NoSuchKey", "no such generation")
			return
		}
		heads(w, o.ObjectAttrs)
		h := w.Header()
		for k, v := range map[string]string{"Content-Type": o.ContentType, "Content-Encoding": o.ContentEncoding, "Content-Disposition": o.ContentDisposition, "Content-Language": o.ContentLanguage, "Cache-Control": o.CacheControl} {
			if v != "" {
				h.Set(k, v)
			}
		}
		for k, v := range o.Metadata {
			h.Set("x-goog-meta-"+k, v)
		}
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", "application/octet-stream")
		}
		http.ServeContent(w, r, "", o.Updated, bytes.NewReader(o.Content))
	case r.Method == "DELETE" && id != "":
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.ups, id)
		w.WriteHeader(204)
	case r.Method == "DELETE":
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.cond(w, r, bucket, name) {
			return
		}
		if err := s.s.Backend().DeleteObject(bucket, name); err != nil {
			xerr(w, 404, "NoSuchKey", "The specified key does not exist.")
			return
		}
		w.WriteHeader(204)
	case r.Method == "POST" && q.Has("uploads"):
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, err := s.s.Backend().GetBucket(bucket); err != nil {
			xerr(w, 404, "NoSuchBucket", "The specified bucket does not exist.")
			return
		}
		s.seq++
		id = fmt.Sprintf("up-%d-%d", time.Now().UnixNano(), s.seq)
		s.ups[id] = &upload{bucket, name, attrsOf(r.Header, bucket, name), map[int][]byte{}}
		xout(w, struct {
			XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
			Bucket, Key, UploadId string
		}{Bucket: bucket, Key: name, UploadId: id})
	case r.Method == "PUT" && id != "":
		b, err := io.ReadAll(r.Body)
		n, err2 := strconv.Atoi(q.Get("partNumber"))
		s.mu.Lock()
		defer s.mu.Unlock()
		u := s.ups[id]
		if u == nil || err != nil || err2 != nil || u.bucket != bucket || u.name != name {
			xerr(w, 404, "NoSuchUpload", "no such upload")
			return
		}
		u.parts[n] = b
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum(b)))
	case r.Method == "POST" && id != "":
		var c struct {
			Part []struct {
				PartNumber int
				ETag       string
			}
		}
		err := xml.NewDecoder(r.Body).Decode(&c)
		s.mu.Lock()
		defer s.mu.Unlock()
		u := s.ups[id]
		if u == nil {
			xerr(w, 404, "NoSuchUpload", "no such upload")
			return
		}
		var all []byte
		prev := 0
		for i, pt := range c.Part {
			b, ok := u.parts[pt.PartNumber]
			if !ok || pt.PartNumber <= prev || strings.Trim(pt.ETag, `"`) != fmt.Sprintf("%x", md5.Sum(b)) {
				xerr(w, 400, "InvalidPart", "part missing, out of order or ETag differs")
				return
			}
			if i < len(c.Part)-1 && len(b) < 5<<20 {
				xerr(w, 400, "EntityTooSmall", "parts but the last are at least 5 MiB")
				return
			}
			prev = pt.PartNumber
			all = append(all, b...)
		}
		if err != nil || len(c.Part) == 0 {
			xerr(w, 400, "MalformedXML", "parts")
			return
		}
		a, ok := s.put(w, r, u.attrs, all)
		if !ok {
			return
		}
		delete(s.ups, id)
		xout(w, struct {
			XMLName           xml.Name `xml:"CompleteMultipartUploadResult"`
			Bucket, Key, ETag string
		}{Bucket: bucket, Key: name, ETag: etag(a.Md5Hash)})
	case r.Method == "PUT" && r.Header.Get("x-goog-copy-source") != "":
		sb, sn, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("x-goog-copy-source"), "/"), "/")
		sb, _ = url.PathUnescape(sb)
		sn, _ = url.PathUnescape(sn)
		s.mu.Lock()
		defer s.mu.Unlock()
		o, err := s.s.GetObject(sb, sn)
		if err != nil {
			xerr(w, 404, "NoSuchKey", "The specified key does not exist.")
			return
		}
		a := o.ObjectAttrs
		a.BucketName, a.Name, a.Generation = bucket, name, 0
		a.Created, a.Updated, a.Deleted = time.Time{}, time.Time{}, time.Time{}
		if a, ok := s.put(w, r, a, o.Content); ok {
			xout(w, struct {
				XMLName            xml.Name `xml:"CopyObjectResult"`
				ETag, LastModified string
			}{ETag: etag(a.Md5Hash), LastModified: a.Updated.UTC().Format(time.RFC3339)})
		}
	case r.Method == "PUT":
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.put(w, r, attrsOf(r.Header, bucket, name), b)
	default:
		xerr(w, 405, "MethodNotAllowed", "method")
	}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:34443", "listen address")
	bucket := flag.String("bucket", "", "bucket to make at start")
	flag.Parse()
	fs, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true, Scheme: "http", PublicHost: *addr, ExternalURL: "http://" + *addr})
	if err != nil {
		log.Fatal(err)
	}
	if *bucket != "" {
		fs.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: *bucket})
	}
	log.Fatal(http.ListenAndServe(*addr, &srv{s: fs, h: fs.HTTPHandler(), host: *addr, ups: map[string]*upload{}}))
}
