package main

import (
	webhooks "github.com/hashicorp/hcp-sdk-go/clients/cloud-webhook/stable/2023-05-31/client/webhook_service"
	models "github.com/hashicorp/hcp-sdk-go/clients/cloud-webhook/stable/2023-05-31/models"
)

// As Terraform's hcp_notifications_webhook calls them: the names of resources hold slashes, which this client escapes.
func walkWebhooks(w *walk) {
	parent := "project/" + w.project
	made := step(w, "a webhook is made", w.webhooks.WebhookServiceCreateWebhook, &webhooks.WebhookServiceCreateWebhookParams{
		ParentResourceName: parent,
		Body: &models.HashicorpCloudWebhookCreateWebhookRequestBody{
			Name:        "walk-hook",
			Description: "calls nobody",
			// Nothing listens there: it is made all the same, because it is not enabled.
			Config: &models.HashicorpCloudWebhookWebhookConfig{URL: "http://127.0.0.1:9/", HmacKey: "a-key-of-the-walk"},
			Subscriptions: []*models.HashicorpCloudWebhookWebhookSubscription{{
				Events: []*models.HashicorpCloudWebhookWebhookSubscriptionEvent{
					{Source: "hashicorp.packer.version", Action: "complete"},
				},
			}},
		},
	})
	name := "webhook/" + parent + "/geo/us/webhook/walk-hook"
	if made.Payload.Webhook != nil {
		name = made.Payload.Webhook.ResourceName
	}
	step(w, "webhooks", w.webhooks.WebhookServiceListWebhooks, &webhooks.WebhookServiceListWebhooksParams{ParentResourceName: parent})
	step(w, "a webhook", w.webhooks.WebhookServiceGetWebhook, &webhooks.WebhookServiceGetWebhookParams{ResourceName: name})
	step(w, "a webhook is changed", w.webhooks.WebhookServiceUpdateWebhook, &webhooks.WebhookServiceUpdateWebhookParams{
		ResourceName: name,
		Body: &models.HashicorpCloudWebhookUpdateWebhookRequestBody{
			Webhook:    &models.HashicorpCloudWebhookWebhook{Description: "calls nobody yet"},
			UpdateMask: "description",
		},
	})
	renamed := step(w, "a webhook is renamed", w.webhooks.WebhookServiceUpdateWebhookName, &webhooks.WebhookServiceUpdateWebhookNameParams{
		ResourceName: name,
		Body:         &models.HashicorpCloudWebhookUpdateWebhookNameRequestBody{Name: "walked-hook"},
	})
	if renamed.Payload.Webhook != nil {
		name = renamed.Payload.Webhook.ResourceName
	}
	step(w, "deliveries of a webhook", w.webhooks.WebhookServiceListWebhookDeliveries, &webhooks.WebhookServiceListWebhookDeliveriesParams{ParentResourceName: name})
	step(w, "a webhook is deleted", w.webhooks.WebhookServiceDeleteWebhook, &webhooks.WebhookServiceDeleteWebhookParams{ResourceName: name})
	step(w, "a webhook that is missing", w.webhooks.WebhookServiceGetWebhook, &webhooks.WebhookServiceGetWebhookParams{ResourceName: name})
}
