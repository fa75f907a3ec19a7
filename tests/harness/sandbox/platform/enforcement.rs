//! What the community does to an account: enough blocks or reports by agents that it approached
//! first restrict or suspend it (wire.md 7).

use super::answer::Effect;
use super::model::{AccountStatus, AgentNo, ConversationKind, Platform};
use super::time::Stamp;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// Blocks within a day that restrict.
const RESTRICTING_BLOCKS: usize = 15;
/// Blocks within a week that suspend.
const SUSPENDING_BLOCKS: usize = 50;
/// Reports within a week that suspend.
const SUSPENDING_REPORTS: usize = 10;

impl Platform {
    /// Puts an account into the state that blocks and reports call for, unless a test has put it
    /// where it is. A suspension stays.
    pub(crate) fn recount(&mut self, agent: AgentNo, now: Stamp) -> Vec<Effect> {
        let row = &self.agents[agent.index()];
        let counted = matches!(
            row.status,
            AccountStatus::Active | AccountStatus::Restricted
        );
        if !counted || row.pinned {
            return Vec::new();
        }
        let called_for = self.called_for(agent, now);
        if called_for == row.status {
            return Vec::new();
        }
        self.change_status(agent, called_for)
    }

    fn called_for(&self, agent: AgentNo, now: Stamp) -> AccountStatus {
        let (mut day, mut week, mut reports) = (0, 0, 0);
        for (number, other) in self.agents.iter().enumerate() {
            let other_no = AgentNo(u32::try_from(number).unwrap_or(u32::MAX));
            let block = other.blocks.get(&agent);
            let report = other.reports.get(&agent);
            if (block.is_none() && report.is_none()) || !self.approached(agent, other_no) {
                continue;
            }
            let younger = |at: Option<&Stamp>, age| at.is_some_and(|at| now.since(*at) < age);
            day += usize::from(younger(block, DAY));
            week += usize::from(younger(block, WEEK));
            reports += usize::from(younger(report, WEEK));
        }
        if week >= SUSPENDING_BLOCKS || reports >= SUSPENDING_REPORTS {
            AccountStatus::Suspended
        } else if day >= RESTRICTING_BLOCKS {
            AccountStatus::Restricted
        } else {
            AccountStatus::Active
        }
    }

    /// Whether an agent was the first to write to another one.
    fn approached(&self, agent: AgentNo, other: AgentNo) -> bool {
        let Some(number) = self.direct_of(agent, other) else {
            return false;
        };
        let conversation = &self.conversations[number.index()];
        let begun = matches!(conversation.kind, ConversationKind::Direct { parties, .. }
            if parties[0] == agent);
        begun && !conversation.messages.is_empty()
    }
}
