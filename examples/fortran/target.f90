! A log density written in Fortran: counts of decays, y_i ~ Poisson(rate exposure_i), rate ~ Gamma(2, 1), whose
! posterior is known: Gamma(2 + sum of y, 1 + sum of exposure).
module decays
  use jensen
  implicit none
  integer, parameter :: rows = 6
  real(c_double), parameter :: exposure(rows) = [1d0, 2d0, 0.5d0, 4d0, 3d0, 1.5d0]
  real(c_double), parameter :: counts(rows) = [3d0, 7d0, 1d0, 11d0, 10d0, 4d0]

contains

  integer(c_int) function density(theta, samples, parameters, batch, log_density, gradient, user) bind(c)
    integer(c_size_t), value :: samples, parameters
    real(c_double), intent(in) :: theta(parameters, samples)
    type(jensen_batch), intent(in) :: batch
    real(c_double), intent(out) :: log_density(samples), gradient(parameters, samples)
    type(c_ptr), value :: user
    real(c_double) :: rate
    integer :: s

    do s = 1, int(samples)
      rate = theta(1, s)
      log_density(s) = log(rate) - rate + sum(counts)*log(rate) - rate*sum(exposure)
      gradient(1, s) = (1 + sum(counts))/rate - 1 - sum(exposure)
    end do
    density = 0
    if (batch%count /= 0 .or. c_associated(user)) density = 1  ! neither was asked for
  end function

end module

program target_in_fortran
  use decays
  implicit none
  type(c_ptr) :: target, trainer, fit
  type(jensen_summary) :: found(1)
  integer(c_size_t) :: count
  real(c_double) :: mean

  call check(jensen_target_create(c_funloc(density), 1, c_null_ptr, target))
  call check(jensen_target_add(target, jensen_c("rate"), jensen_positive, 1d0, 1d0))
  call check(jensen_trainer_create_target(target, c_null_ptr, c_null_ptr, trainer))
  call check(jensen_trainer_run(trainer, c_null_funptr, c_null_ptr, fit))
  count = 1
  call check(jensen_fit_summary(fit, found, count))
  mean = (2 + sum(counts))/(1 + sum(exposure))
  print '(3a, f7.4, a, f7.4)', "posterior mean of ", jensen_parameter_name(fit, 1), ": ", found(1)%mean, ", exactly", mean
  call jensen_fit_free(fit)
  call jensen_trainer_free(trainer)
  call jensen_target_free(target)
  if (abs(found(1)%mean - mean) > 0.1d0*found(1)%sd) error stop "not the posterior"

contains

  subroutine check(status)
    integer(c_int), intent(in) :: status
    if (status == jensen_ok) return
    print '(a)', jensen_message()
    error stop 1
  end subroutine

end program
