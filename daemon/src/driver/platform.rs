//! Calls of local programs that the platform answers, unchanged.

use std::{sync::Arc, time::Duration};

use super::failure::call_failure;
use crate::{
    calls::Request,
    command::CallFailure,
    hub::{Later, Upstream},
    upstream::Rest,
};

impl Upstream for Rest {
    fn call(
        &self,
        request: Request,
        timeout: Duration,
    ) -> Later<'_, Result<Arc<str>, CallFailure>> {
        Box::pin(async move {
            let answer = Self::call(self, request.timeout(timeout))
                .await
                .map_err(|failure| call_failure(&failure))?;
            match answer.json() {
                Ok(Some(json)) => Ok(Arc::from(json.get())),
                Ok(None) => Ok(Arc::from("null")),
                Err(failure) => Err(call_failure(&failure)),
            }
        })
    }
}
