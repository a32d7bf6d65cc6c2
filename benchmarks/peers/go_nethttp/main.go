// The same search service on Go's net/http with encoding/json: one shared client, one goroutine a call, a context's deadline.
package main

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"
)

const limit = 50

type supplier struct {
	ID          string   `json:"id"`
	URL         string   `json:"url"`
	PropertyIDs []string `json:"property_ids"`
}

type configuration struct {
	APIKey       string     `json:"api_key"`
	SharedSecret string     `json:"shared_secret"`
	DeadlineMS   int        `json:"deadline_ms"`
	Suppliers    []supplier `json:"suppliers"`
}

type property struct {
	PropertyID string `json:"property_id"`
	Rooms      []struct {
		RoomName string `json:"room_name"`
		Rates    []struct {
			ID               string `json:"id"`
			Refundable       *bool  `json:"refundable"`
			OccupancyPricing map[string]struct {
				Totals struct {
					Inclusive struct {
						RequestCurrency struct {
							Value    string `json:"value"`
							Currency string `json:"currency"`
						} `json:"request_currency"`
					} `json:"inclusive"`
				} `json:"totals"`
			} `json:"occupancy_pricing"`
		} `json:"rates"`
	} `json:"rooms"`
}

type search struct {
	Place    string `json:"place"`
	CheckIn  string `json:"check_in"`
	CheckOut string `json:"check_out"`
	Adults   int    `json:"adults"`
	Currency string `json:"currency"`
}

type offer struct {
	Supplier   string  `json:"supplier"`
	OfferID    string  `json:"offer_id"`
	Room       string  `json:"room"`
	Price      float64 `json:"price"`
	Currency   string  `json:"currency"`
	Refundable *bool   `json:"refundable"`
}

type hotel struct {
	ID     string  `json:"id"`
	Offers []offer `json:"offers"`
}

type outcome struct {
	Supplier string `json:"supplier"`
	Status   string `json:"status"`
	Offers   int    `json:"offers"`
}

type result struct {
	Search      search    `json:"search"`
	HotelsFound int       `json:"hotels_found"`
	Hotels      []*hotel  `json:"hotels"`
	Outcomes    []outcome `json:"outcomes"`
	ElapsedMS   float64   `json:"elapsed_ms"`
}

var config configuration

// The client keeps enough idle connections to one host; Go's default of two would reconnect all the time.
var client = &http.Client{Transport: &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second}}

func parse(q url.Values) (search, map[string]string) {
	wrong := map[string]string{}
	s := search{Place: q.Get("place"), CheckIn: q.Get("check_in"), CheckOut: q.Get("check_out"), Adults: 2, Currency: "USD"}
	if s.Place == "" {
		wrong["place"] = "is required"
	}
	if text := q.Get("currency"); text != "" {
		s.Currency = text
	}
	if len(s.Currency) != 3 {
		wrong["currency"] = "must be a code such as USD"
	}
	checkIn, inErr := time.Parse("2006-01-02", s.CheckIn)
	if inErr != nil {
		wrong["check_in"] = "must be a date as YYYY-MM-DD"
	}
	checkOut, outErr := time.Parse("2006-01-02", s.CheckOut)
	if outErr != nil {
		wrong["check_out"] = "must be a date as YYYY-MM-DD"
	}
	if nights := int(checkOut.Sub(checkIn).Hours() / 24); inErr == nil && outErr == nil && (nights < 1 || nights > 30) {
		wrong["check_out"] = "must be 1 to 30 nights after check_in"
	}
	if text := q.Get("adults"); text != "" {
		adults, err := strconv.Atoi(text)
		if err != nil || adults < 1 || adults > 9 {
			wrong["adults"] = "must be 1 to 9"
		}
		s.Adults = adults
	}
	return s, wrong
}

func ask(ctx context.Context, from *supplier, s *search) ([]property, error) {
	query := url.Values{
		"checkin": {s.CheckIn}, "checkout": {s.CheckOut}, "currency": {s.Currency}, "country_code": {"US"},
		"language": {"en-US"}, "occupancy": {strconv.Itoa(s.Adults)}, "rate_plan_count": {"4"},
		"sales_channel": {"website"}, "sales_environment": {"hotel_only"}, "property_id": from.PropertyIDs,
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from.URL+"/v3/properties/availability?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	signature := sha512.Sum512([]byte(config.APIKey + config.SharedSecret + stamp))
	request.Header.Set("Authorization",
		"EAN APIKey="+config.APIKey+",Signature="+hex.EncodeToString(signature[:])+",timestamp="+stamp)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Customer-Ip", "127.0.0.1")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var properties []property
	return properties, json.Unmarshal(body, &properties)
}

func run(parent context.Context, s *search) result {
	started := time.Now()
	ctx, cancel := context.WithTimeout(parent, time.Duration(config.DeadlineMS)*time.Millisecond)
	defer cancel()
	answers := make([][]property, len(config.Suppliers))
	outcomes := make([]outcome, len(config.Suppliers))
	var group sync.WaitGroup
	for i := range config.Suppliers {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			var err error
			answers[i], err = ask(ctx, &config.Suppliers[i], s)
			outcomes[i] = outcome{Supplier: config.Suppliers[i].ID, Status: "ok"}
			if errors.Is(err, context.DeadlineExceeded) {
				outcomes[i].Status = "timeout"
			} else if err != nil {
				outcomes[i].Status = "error"
			}
		}(i)
	}
	group.Wait()
	hotels := merge(answers, outcomes, strconv.Itoa(s.Adults))
	found := len(hotels)
	if found > limit {
		hotels = hotels[:limit]
	}
	return result{*s, found, hotels, outcomes, float64(time.Since(started).Microseconds()) / 1000}
}

func merge(answers [][]property, outcomes []outcome, occupancy string) []*hotel {
	byID := map[string]*hotel{}
	hotels := []*hotel{}
	for i, answer := range answers {
		if outcomes[i].Status != "ok" {
			continue
		}
		for _, p := range answer {
			h := byID[p.PropertyID]
			if h == nil {
				h = &hotel{ID: p.PropertyID}
				byID[p.PropertyID] = h
				hotels = append(hotels, h)
			}
			for _, room := range p.Rooms {
				for _, rate := range room.Rates {
					amount := rate.OccupancyPricing[occupancy].Totals.Inclusive.RequestCurrency
					price, err := strconv.ParseFloat(amount.Value, 64)
					if err != nil {
						continue
					}
					h.Offers = append(h.Offers, offer{outcomes[i].Supplier, rate.ID, room.RoomName, price, amount.Currency, rate.Refundable})
					outcomes[i].Offers++
				}
			}
		}
	}
	kept := hotels[:0]
	for _, h := range hotels {
		if len(h.Offers) > 0 {
			sort.Slice(h.Offers, func(a, b int) bool { return h.Offers[a].Price < h.Offers[b].Price })
			kept = append(kept, h)
		}
	}
	sort.Slice(kept, func(a, b int) bool { return kept[a].Offers[0].Price < kept[b].Offers[0].Price })
	return kept
}

func main() {
	text, err := os.ReadFile(os.Getenv("BENCH_SUPPLIERS"))
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		log.Fatalf("BENCH_SUPPLIERS: %v", err)
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"live"}`))
	})
	http.HandleFunc("/search", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		s, wrong := parse(r.URL.Query())
		if len(wrong) > 0 {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_ = json.NewEncoder(w).Encode(wrong)
			return
		}
		_ = json.NewEncoder(w).Encode(run(r.Context(), &s))
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
