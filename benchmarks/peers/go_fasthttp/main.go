// The same search service on fasthttp with jsoniter: pooled requests and responses, one goroutine a call, DoDeadline.
package main

import (
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	jsoniter "github.com/json-iterator/go"
	"github.com/valyala/fasthttp"
)

const limit = 50

var json = jsoniter.ConfigFastest

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

var client = &fasthttp.Client{MaxConnsPerHost: 2048, MaxIdleConnDuration: 90 * time.Second, NoDefaultUserAgentHeader: true}

func parse(q *fasthttp.Args) (search, map[string]string) {
	wrong := map[string]string{}
	s := search{
		Place: string(q.Peek("place")), CheckIn: string(q.Peek("check_in")), CheckOut: string(q.Peek("check_out")),
		Adults: 2, Currency: "USD",
	}
	if s.Place == "" {
		wrong["place"] = "is required"
	}
	if text := q.Peek("currency"); len(text) > 0 {
		s.Currency = string(text)
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
	if q.Has("adults") {
		adults, err := q.GetUint("adults")
		if err != nil || adults < 1 || adults > 9 {
			wrong["adults"] = "must be 1 to 9"
		}
		s.Adults = adults
	}
	return s, wrong
}

func ask(from *supplier, s *search, authorization string, deadline time.Time) ([]property, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(from.URL + "/v3/properties/availability")
	query := request.URI().QueryArgs()
	query.Add("checkin", s.CheckIn)
	query.Add("checkout", s.CheckOut)
	query.Add("currency", s.Currency)
	query.Add("country_code", "US")
	query.Add("language", "en-US")
	query.Add("occupancy", strconv.Itoa(s.Adults))
	query.Add("rate_plan_count", "4")
	query.Add("sales_channel", "website")
	query.Add("sales_environment", "hotel_only")
	for _, id := range from.PropertyIDs {
		query.Add("property_id", id)
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Customer-Ip", "127.0.0.1")
	if err := client.DoDeadline(request, response, deadline); err != nil {
		return nil, err
	}
	if response.StatusCode() != fasthttp.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode())
	}
	var properties []property
	return properties, json.Unmarshal(response.Body(), &properties)
}

func authorize() string {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	signature := sha512.Sum512([]byte(config.APIKey + config.SharedSecret + stamp))
	return "EAN APIKey=" + config.APIKey + ",Signature=" + hex.EncodeToString(signature[:]) + ",timestamp=" + stamp
}

func run(s *search) result {
	started := time.Now()
	deadline := started.Add(time.Duration(config.DeadlineMS) * time.Millisecond)
	authorization := authorize()
	answers := make([][]property, len(config.Suppliers))
	outcomes := make([]outcome, len(config.Suppliers))
	var group sync.WaitGroup
	for i := range config.Suppliers {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			var err error
			answers[i], err = ask(&config.Suppliers[i], s, authorization, deadline)
			outcomes[i] = outcome{Supplier: config.Suppliers[i].ID, Status: "ok"}
			if errors.Is(err, fasthttp.ErrTimeout) {
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

func serve(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("application/json")
	switch string(ctx.Path()) {
	case "/healthz":
		ctx.SetBodyString(`{"status":"live"}`)
	case "/search":
		s, wrong := parse(ctx.QueryArgs())
		var answer interface{} = wrong
		if len(wrong) > 0 {
			ctx.SetStatusCode(fasthttp.StatusUnprocessableEntity)
		} else {
			answer = run(&s)
		}
		body, err := json.Marshal(answer)
		if err != nil {
			ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
			return
		}
		ctx.SetBody(body)
	default:
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}

func main() {
	text, err := os.ReadFile(os.Getenv("BENCH_SUPPLIERS"))
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		log.Fatalf("BENCH_SUPPLIERS: %v", err)
	}
	log.Fatal(fasthttp.ListenAndServe("127.0.0.1:"+os.Args[1], serve))
}
