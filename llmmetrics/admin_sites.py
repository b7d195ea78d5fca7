"""The two admin sites and what each of them shows."""

from __future__ import annotations

from apps.accounts import admin as accounts
from apps.accounts.key_admin import ApiKeyAdmin
from apps.accounts.models import (
    ApiKey,
    AuditEntry,
    Invitation,
    Membership,
    OperatorAccess,
    Organization,
    Project,
)
from apps.accounts.tenant_admin import OrganizationAdminSite
from apps.alerts.admin import ThresholdAdmin
from apps.alerts.models import Threshold
from apps.events.models import Batch
from apps.pricing.admin import BudgetAdmin, ContractPriceAdmin, CostSettingAdmin
from apps.pricing.models import Budget, ContractPrice, CostSetting
from llmmetrics import operator_admin as operator

organization_site = OrganizationAdminSite(name="admin")
organization_site.register(Threshold, ThresholdAdmin)
organization_site.register(CostSetting, CostSettingAdmin)
organization_site.register(ContractPrice, ContractPriceAdmin)
organization_site.register(Budget, BudgetAdmin)
organization_site.register(Organization, accounts.OrganizationAdmin)
organization_site.register(Project, accounts.ProjectAdmin)
organization_site.register(ApiKey, ApiKeyAdmin)
organization_site.register(Membership, accounts.MembershipAdmin)
organization_site.register(Invitation, accounts.InvitationAdmin)
organization_site.register(AuditEntry, accounts.AuditEntryAdmin)

operator_site = operator.OperatorSite(name="operator")
operator_site.register(Organization, operator.OrganizationList)
operator_site.register(Membership, operator.MembershipList)
operator_site.register(Project, operator.ProjectList)
operator_site.register(Batch, operator.BatchList)
operator_site.register(OperatorAccess, operator.AccessList)
