"""SAP S/4HANA: business partners and sales orders over the OData V2 services of SAP Gateway.

What to know before reading on: writes need a CSRF token together with the cookies it came with
(``wire.login``); SAP has no idempotency key, so everything is looked up by our reference first
(``erp``); an error answer may be JSON in three shapes, XML, HTML or plain text (``kit.odata``);
a lock may come as 400 with a sentence (``wire``).

Source: api.sap.com, API_BUSINESS_PARTNER and API_SALES_ORDER_SRV, read 2026-11.
"""

from adapters.sap_s4.erp import SapErp
from adapters.sap_s4.settings import Settings
from adapters.sap_s4.translation import accepts, load
from adapters.sap_s4.wire import login, refused
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="sap_s4",
    title="SAP S/4HANA",
    settings=Settings,
    ports={"erp": SapErp},
    mappings=load,
    accepts=accepts,
    login=login,
    refused=refused,
    readable=frozenset(
        """
        BusinessPartner BusinessPartnerCategory BusinessPartnerGrouping BusinessPartnerIDByExtSystem
        BusinessPartnerRole CorrespondenceLanguage Country AddressUsage BPTaxType Customer
        SalesOrganization DistributionChannel Division OrganizationDivision
        SalesOrder SalesOrderType SoldToParty PurchaseOrderByCustomer TransactionCurrency
        SalesOrderItem Material RequestedQuantity RequestedQuantityUnit SalesDocumentRjcnReason
        ConditionType ConditionRateValue ConditionCurrency ConditionQuantity
        ConditionQuantityUnit NetAmount TotalNetAmount OverallSDDocumentRejectionSts
        LastChangeDateTime code severity target propertyref transactionid timestamp
        """.split()
    ),
)
