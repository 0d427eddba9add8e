package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-openapi/runtime"
	iam "github.com/hashicorp/hcp-sdk-go/clients/cloud-iam/stable/2019-12-10/client/iam_service"
	operations "github.com/hashicorp/hcp-sdk-go/clients/cloud-operation/stable/2020-05-05/client/operation_service"
	older "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2021-04-30/client/packer_service"
	packer "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/client/packer_service"
	organizations "github.com/hashicorp/hcp-sdk-go/clients/cloud-resource-manager/stable/2019-12-10/client/organization_service"
	projects "github.com/hashicorp/hcp-sdk-go/clients/cloud-resource-manager/stable/2019-12-10/client/project_service"
	resources "github.com/hashicorp/hcp-sdk-go/clients/cloud-resource-manager/stable/2019-12-10/client/resource_service"
	cloud "github.com/hashicorp/hcp-sdk-go/clients/cloud-shared/v1/models"
	webhooks "github.com/hashicorp/hcp-sdk-go/clients/cloud-webhook/stable/2023-05-31/client/webhook_service"
	"github.com/hashicorp/hcp-sdk-go/httpclient"
)

type walk struct {
	packer        packer.ClientService
	older         older.ClientService
	operations    operations.ClientService
	organizations organizations.ClientService
	projects      projects.ClientService
	resources     resources.ClientService
	iam           iam.ClientService
	webhooks      webhooks.ClientService
	organization  string
	project       string
	out           *json.Encoder
	// What later steps need of earlier ones.
	seen seen
}

type seen struct {
	versionID, channelID, buildID, blockID, blockVersionID, nextPage string
}

// One call and what the generated client made of its answer.
type line struct {
	Name      string `json:"name"`
	Operation string `json:"operation"`
	HTTP      int    `json:"http"`
	Answer    any    `json:"answer,omitempty"`
	// Of google.rpc.Status; `seen_code` is what Packer finds in the text of the error.
	Code     int    `json:"code,omitempty"`
	SeenCode int    `json:"seen_code,omitempty"`
	Message  string `json:"message,omitempty"`
	Details  any    `json:"details,omitempty"`
	// An answer that the client does not take for one of the API.
	Error string `json:"error,omitempty"`
}

func connect(out io.Writer) (*walk, error) {
	client, err := httpclient.New(httpclient.Config{SourceChannel: "hcp-walk/1"})
	if err != nil {
		return nil, err
	}
	return &walk{
		packer:        packer.New(client, nil),
		older:         older.New(client, nil),
		operations:    operations.New(client, nil),
		organizations: organizations.New(client, nil),
		projects:      projects.New(client, nil),
		resources:     resources.New(client, nil),
		iam:           iam.New(client, nil),
		webhooks:      webhooks.New(client, nil),
		organization:  os.Getenv("HCP_ORGANIZATION_ID"),
		project:       os.Getenv("HCP_PROJECT_ID"),
		out:           json.NewEncoder(out),
	}, nil
}

type timed interface{ SetTimeout(time.Duration) }

type located interface {
	SetLocationOrganizationID(string)
	SetLocationProjectID(string)
}

// Calls one operation in the walk's project and prints what came. The answer is empty, never nil, where the call was refused.
func step[P any, R any, O any](
	w *walk,
	name string,
	call func(*P, runtime.ClientAuthInfoWriter, ...O) (*R, error),
	params *P,
) *R {
	if one, is := any(params).(timed); is {
		one.SetTimeout(30 * time.Second)
	}
	if one, is := any(params).(located); is {
		one.SetLocationOrganizationID(w.organization)
		one.SetLocationProjectID(w.project)
	}
	answer, err := call(params, nil)
	said := line{Name: name, Operation: operationOf(params), HTTP: 200}
	if err == nil {
		said.Answer = reflect.ValueOf(answer).Elem().FieldByName("Payload").Interface()
	} else {
		said.refused(err)
		answer = empty[R]()
	}
	if err := w.out.Encode(said); err != nil {
		panic(err)
	}
	return answer
}

func operationOf(params any) string {
	name := strings.TrimSuffix(reflect.TypeOf(params).Elem().Name(), "Params")
	_, after, found := strings.Cut(name, "Service")
	if found {
		return after
	}
	return name
}

var packersCode = regexp.MustCompilePOSIX(`[Cc]ode"?:([0-9]+)`)

func (said *line) refused(err error) {
	said.HTTP = 0
	var typed interface{ Code() int }
	payload := reflect.Value{}
	if errors.As(err, &typed) {
		said.HTTP = typed.Code()
		payload = reflect.ValueOf(err).Elem().FieldByName("Payload")
	}
	status, is := (*cloud.GoogleRPCStatus)(nil), false
	if payload.IsValid() {
		status, is = payload.Interface().(*cloud.GoogleRPCStatus)
	}
	if !is || status == nil {
		said.Error = err.Error()
		return
	}
	said.Code, said.Message, said.Details = int(status.Code), status.Message, status.Details
	if found := packersCode.FindStringSubmatch(err.Error()); found != nil {
		said.SeenCode, _ = strconv.Atoi(found[1])
	}
}

// An answer whose payload has nothing in it, so that a refused step does not end the walk.
func empty[R any]() *R {
	answer := new(R)
	payload := reflect.ValueOf(answer).Elem().FieldByName("Payload")
	if payload.IsValid() && payload.Kind() == reflect.Pointer {
		payload.Set(reflect.New(payload.Type().Elem()))
	}
	return answer
}

func to[T any](value T) *T { return &value }
